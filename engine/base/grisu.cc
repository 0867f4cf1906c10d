#include "engine/base/grisu.h"

#include <bit>

namespace ringwood {
namespace {

// f * 2^e, without normalisation or sign.
struct Float {
  uint64_t f;
  int e;
};

constexpr uint64_t kHiddenBit = uint64_t{1} << 52;
// After scaling, binary exponents lie in this range: the integral part then fits 32 bits, and ten times the fraction fits 64.
constexpr int kMinExponent = -60;
constexpr int kMaxExponent = -32;

// 10^k for k = -348, -340, ... 340: 64 significant bits, rounded to nearest. The binary exponents follow from k.
constexpr int kFirstPower = -348;
constexpr int kPowerStep = 8;
constexpr int kPowers = 87;
constexpr uint64_t kPowerBits[kPowers] = {
    0xfa8fd5a0081c0288, 0xbaaee17fa23ebf76, 0x8b16fb203055ac76, 0xcf42894a5dce35ea, 0x9a6bb0aa55653b2d, 0xe61acf033d1a45df,
    0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f, 0xbe5691ef416bd60c, 0x8dd01fad907ffc3c, 0xd3515c2831559a83, 0x9d71ac8fada6c9b5,
    0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57, 0xc21094364dfb5637, 0x9096ea6f3848984f, 0xd77485cb25823ac7,
    0xa086cfcd97bf97f4, 0xef340a98172aace5, 0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996,
    0xdbac6c247d62a584, 0xa3ab66580d5fdaf6, 0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8, 0x87625f056c7c4a8b, 0xc9bcff6034c13053,
    0x964e858c91ba2655, 0xdff9772470297ebd, 0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf, 0x8a08f0f8bf0f156b,
    0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3, 0xfd87b5f28300ca0e, 0xbce5086492111aeb,
    0x8cbccc096f5088cc, 0xd1b71758e219652c, 0x9c40000000000000, 0xe8d4a51000000000, 0xad78ebc5ac620000, 0x813f3978f8940984,
    0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70, 0xd5d238a4abe98068, 0x9f4f2726179a2245, 0xed63a231d4c4fb27, 0xb0de65388cc8ada8,
    0x83c7088e1aab65db, 0xc45d1df942711d9a, 0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85,
    0xb454e4a179dd1877, 0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3, 0xde469fbd99a05fe3, 0xa59bc234db398c25,
    0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece, 0x88fcf317f22241e2, 0xcc20ce9bd35c78a5, 0x98165af37b2153df, 0xe2a0b5dc971f303a,
    0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410, 0x8bab8eefb6409c1a, 0xd01fef10a657842c, 0x9b10a4e5e9913129,
    0xe7109bfba19c0c9d, 0xac2820d9623bf429, 0x80444b5e7aa7cf85, 0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841,
    0x9e19db92b4e31ba9, 0xeb96bf6ebadf77d9, 0xaf87023b9bf0ee6b,
};

int power_of(int index) { return kFirstPower + index * kPowerStep; }
int binary_exponent(int index) { return ((power_of(index) * 217706) >> 16) - 63; }  // floor(k * log2(10)) - 63

// Which power brings a number with binary exponent e into range. Two may; the digits depend on which one is taken, so the choice is Redis's.
int choose_power(int e) {
  constexpr double kLog10Of2 = 0.30102999566398114;
  int index = (static_cast<int>(-(e + kPowers) * kLog10Of2) - kFirstPower) / kPowerStep;
  while (e + binary_exponent(index) + 64 < kMinExponent) index++;
  while (e + binary_exponent(index) + 64 > kMaxExponent) index--;
  return index;
}

Float scale(Float a, int power) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(a.f) * kPowerBits[power] + (uint64_t{1} << 63);
  return {static_cast<uint64_t>(product >> 64), a.e + binary_exponent(power) + 64};
}

Float unpack(double v) {
  uint64_t bits = std::bit_cast<uint64_t>(v);
  uint64_t fraction = bits & (kHiddenBit - 1);
  int exponent = static_cast<int>(bits >> 52);
  return exponent == 0 ? Float{fraction, -1074} : Float{fraction | kHiddenBit, exponent - 1075};
}

Float normalize(Float a) {
  int shift = std::countl_zero(a.f);
  return {a.f << shift, a.e - shift};
}

// Lowers the last digit while that brings the number, which stands `rest` below the upper bound, nearer to its true place `target` below it,
// without leaving the interval of width `delta`.
void round_last(Decimal& d, uint64_t delta, uint64_t rest, uint64_t unit, uint64_t target) {
  while (rest < target && delta - rest >= unit && (rest + unit < target || target - rest > rest + unit - target)) {
    d.digits[d.count - 1]--;
    rest += unit;
  }
}

// Writes digits of the upper bound until what is left is below delta: all that follows may be dropped without leaving the interval.
void generate(Decimal& d, Float value, Float upper, uint64_t delta) {
  const int point = -upper.e;  // bits behind the binary point
  const uint64_t one = uint64_t{1} << point;
  const uint64_t target = upper.f - value.f;
  uint32_t integral = static_cast<uint32_t>(upper.f >> point);
  uint64_t fraction = upper.f & (one - 1);
  auto put = [&](uint64_t digit) {
    if (digit != 0 || d.count > 0) d.digits[d.count++] = static_cast<char>('0' + digit);
  };
  int left = 10;  // integral digits to come
  for (uint32_t unit = 1000000000; unit > 0; unit /= 10) {
    put(integral / unit);
    integral %= unit;
    left--;
    uint64_t rest = (uint64_t{integral} << point) + fraction;
    if (rest <= delta) {
      d.exponent += left;
      round_last(d, delta, rest, uint64_t{unit} << point, target);
      return;
    }
  }
  for (uint64_t factor = 10;; factor *= 10) {
    fraction *= 10;
    delta *= 10;
    put(fraction >> point);
    fraction &= one - 1;
    left--;
    if (fraction < delta) {
      d.exponent += left;
      round_last(d, delta, fraction, one, target * factor);
      return;
    }
  }
}

}  // namespace

Decimal grisu2(double v) {
  const Float exact = unpack(v);
  // Half way to the neighbours: all between reads back as v. Below a power of two the lower neighbour is half as far.
  const Float above = normalize({exact.f * 2 + 1, exact.e - 1});
  Float below = exact.f == kHiddenBit ? Float{exact.f * 4 - 1, exact.e - 2} : Float{exact.f * 2 - 1, exact.e - 1};
  below = {below.f << (below.e - above.e), above.e};

  const int power = choose_power(above.e);
  const Float value = scale(normalize(exact), power);
  Float upper = scale(above, power);
  Float lower = scale(below, power);
  upper.f--;  // scaling is off by less than one unit
  lower.f++;

  Decimal d{};
  d.exponent = -power_of(power);
  generate(d, value, upper, upper.f - lower.f);
  return d;
}

}  // namespace ringwood
