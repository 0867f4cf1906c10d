#include <gtest/gtest.h>

#include <set>

#include "engine/base/conf_file.h"
#include "engine/base/conf_rewrite.h"
#include "engine/base/directive.h"
#include "engine/base/options_text.h"

namespace ringwood {
namespace {

// Valid arguments that are not the default.
std::vector<std::string> other_arguments(const Directive& directive) {
  const Options defaults;
  const std::string now = get_value(directive, defaults);
  switch (directive.kind) {
    case DirectiveKind::kBool: return {now == "yes" ? "no" : "yes"};
    case DirectiveKind::kChoice:
      return {std::string(now == directive.choices[0].name ? directive.choices[directive.choices.size() > 2 ? 2 : 1].name
                                                           : directive.choices[0].name)};
    case DirectiveKind::kFlags: return {"nosave", "force"};
    case DirectiveKind::kNumber: {
      const int64_t value = directive.get_number(defaults);
      return {std::to_string(value == directive.max ? value - 1 : value + 1)};
    }
    case DirectiveKind::kText: return {directive.check_text ? "x.y-z" : "some \"quoted\" path"};
    case DirectiveKind::kSpecial: break;
  }
  if (directive.name == "dir") return {"/some dir"};
  if (directive.name == "save") return {"7", "8", "9", "10"};
  if (directive.name == "bind") return {"127.0.0.1", "::1"};
  if (directive.name == "replicaof") return {"localhost", "6380"};
  if (directive.name == "notify-keyspace-events") return {"KEgn"};
  if (directive.name == "oom-score-adj-values") return {"1", "2", "3"};
  if (directive.name == "client-output-buffer-limit") return {"replica", "3kb", "100", "5"};
  return {"12.5", "100"};  // latency-tracking-info-percentiles
}

TEST(DirectiveTable, NamesAndAliasesAreUniqueAndComplete) {
  std::set<std::string_view> names;
  for (const Directive& directive : directives()) {
    EXPECT_TRUE(names.insert(directive.name).second) << directive.name;
    EXPECT_TRUE(directive.alias.empty() || names.insert(directive.alias).second) << directive.alias;
    EXPECT_EQ(directive.name, options_text::lower(directive.name));
  }
  EXPECT_EQ(directives().size(), 183u + 9u);  // all of Redis 7.2.6, and ours
  EXPECT_EQ(names.size() - directives().size(), 19u);
}

TEST(DirectiveTable, EveryDefaultIsValid) {
  const Options defaults;
  for (const Directive& directive : directives()) {
    if (directive.kind == DirectiveKind::kSpecial) continue;
    Options options;
    EXPECT_EQ(set_value(directive, options, std::vector<std::string>{get_value(directive, defaults)}, SetSource::kConfigSet), "")
        << directive.name;
    EXPECT_EQ(options, defaults) << directive.name;
  }
}

TEST(DirectiveTable, EveryDirectiveSurvivesSetGetAndRewrite) {
  const Options defaults;
  for (const Directive& directive : directives()) {
    SCOPED_TRACE(directive.name);
    if (directive.name == "tls-port" || directive.name == "tls-cluster" || directive.name == "tls-replication")
      continue;  // off is all they can be
    const std::vector<std::string> args = other_arguments(directive);
    Options options;
    if (directive.name == "save") options.save.clear();
    ASSERT_EQ(set_value(directive, options, args, SetSource::kFile), "");
    EXPECT_NE(options, defaults);
    if (directive.name != "client-output-buffer-limit" && directive.name != "oom-score-adj" && directive.name != "notify-keyspace-events") {
      std::string joined;
      for (const std::string& arg : args) joined += (joined.empty() ? "" : " ") + arg;
      EXPECT_EQ(get_value(directive, options), joined);
    }
    const std::string text = rewrite_config("", options, defaults, std::nullopt);
    const LoadedOptions loaded = load_options(text, nullptr);
    ASSERT_FALSE(loaded.error) << format_config_error(*loaded.error);
    if (directive.name == "cluster-enabled") options.databases = 1;  // the loader's doing
    EXPECT_EQ(loaded.options, options) << text;
  }
}

TEST(DirectiveTable, OnlyRedisProtectedAndImmutableDirectivesAreMarked) {
  std::set<std::string_view> guarded;
  for (const Directive& directive : directives()) {
    if (directive.has(kGuarded)) guarded.insert(directive.name);
    EXPECT_FALSE(directive.has(kGuarded) && directive.has(kImmutable)) << directive.name;
  }
  EXPECT_EQ(guarded, (std::set<std::string_view>{"dir", "dbfilename"}));
}

}  // namespace
}  // namespace ringwood
