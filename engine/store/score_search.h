#pragma once
// Searching the nodes of a sorted set's tree (engine/store/ordered_tree.h): all scores of a node are looked at, four at a time, since a branch that is foretold
// wrongly costs more than sixty comparisons, and since the lines of a node come at the same time when nobody waits for one to know the next.
#include <cstdint>
#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace ringwood::score_search {

#ifdef __AVX2__
namespace detail {
inline int64_t add_up(__m256i v) {
  const __m128i halves = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  return _mm_cvtsi128_si64(halves) + _mm_extract_epi64(halves, 1);
}
}  // namespace detail
#endif

// How many of these n scores, which ascend, are less than this one, or (kOrEqual) not greater.
template <bool kOrEqual>
inline int count_below(const double* scores, int n, double score) {
  int i = 0, below = 0;
#ifdef __AVX2__
  const __m256d wanted = _mm256_set1_pd(score);
  __m256i sum = _mm256_setzero_si256();
  for (; i + 4 <= n; i += 4) {
    const __m256d less = _mm256_cmp_pd(_mm256_loadu_pd(scores + i), wanted, kOrEqual ? _CMP_LE_OQ : _CMP_LT_OQ);
    sum = _mm256_sub_epi64(sum, _mm256_castpd_si256(less));  // a true lane is -1
  }
  below = static_cast<int>(detail::add_up(sum));
#endif
  for (; i < n; i++) below += kOrEqual ? scores[i] <= score : scores[i] < score;
  return below;
}

// The sum of the first n of kRoom numbers; those behind may be read.
template <int kRoom>
inline uint64_t sum_first(const uint64_t (&numbers)[kRoom], int n) {
  int i = 0;
  uint64_t sum = 0;
#ifdef __AVX2__
  const __m256i end = _mm256_set1_epi64x(n);
  __m256i at = _mm256_setr_epi64x(0, 1, 2, 3), sums = _mm256_setzero_si256();
  for (; i + 4 <= kRoom; i += 4) {
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(numbers + i));
    sums = _mm256_add_epi64(sums, _mm256_and_si256(four, _mm256_cmpgt_epi64(end, at)));
    at = _mm256_add_epi64(at, _mm256_set1_epi64x(4));
  }
  sum = static_cast<uint64_t>(detail::add_up(sums));
#endif
  for (; i < n; i++) sum += numbers[i];
  return sum;
}

}  // namespace ringwood::score_search
