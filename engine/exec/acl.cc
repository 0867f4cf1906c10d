#include "engine/exec/acl.h"

#include "engine/base/sha1.h"

namespace ringwood {
namespace {

// Takes as long wherever two hashes differ. Both are of the same length.
bool same_hash(Bytes a, Bytes b) {
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); i++) difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

}  // namespace

void AclUser::set(AclRules rules) {
  rules_ = std::make_unique<const AclRules>(std::move(rules));
  uint32_t word = rules_->unrestricted() ? kOpen : kRestricted;
  gate.store(word, std::memory_order_relaxed);
  bool open = name == "default" && rules_->enabled && rules_->any_password;
  stranger_gate.store(open ? word : kClosed, std::memory_order_relaxed);
}

void AclUser::close() {
  gate.store(kClosed, std::memory_order_relaxed);
  stranger_gate.store(kClosed, std::memory_order_relaxed);
}

Acl::Acl(const CommandTable& commands, Bytes requirepass) : commands_(commands) {
  default_ = std::make_shared<AclUser>("default", unrestricted_acl_rules({commands, false}));
  users_.emplace("default", default_);
  set_default_password(requirepass);
}

AclUserPtr Acl::find(Bytes name) const {
  auto it = users_.find(name);
  return it == users_.end() ? nullptr : it->second;
}

AclUserPtr Acl::authenticate(Bytes name, Bytes password) const {
  AclUserPtr user = find(name);
  if (!user || !user->rules().enabled) return nullptr;
  if (user->rules().any_password) return user;
  OwnedBytes hash = sha256_hex(password);
  bool proven = false;
  for (const OwnedBytes& known : user->rules().passwords) proven |= same_hash(hash, known);
  return proven ? user : nullptr;
}

void Acl::set(Bytes name, AclRules rules) {
  if (AclUserPtr known = find(name)) return known->set(std::move(rules));
  users_.emplace(OwnedBytes(name), std::make_shared<AclUser>(OwnedBytes(name), std::move(rules)));
}

AclUserPtr Acl::remove(Bytes name) {
  auto it = users_.find(name);
  if (it == users_.end() || it->second == default_) return nullptr;
  AclUserPtr gone = it->second;
  gone->close();
  users_.erase(it);
  return gone;
}

std::vector<AclUserPtr> Acl::replace(std::map<OwnedBytes, AclRules> users, const AclLanguage& language) {
  std::vector<AclUserPtr> gone;
  for (auto& [name, user] : users_) {
    if (user == default_) continue;
    user->close();
    gone.push_back(user);
  }
  users_.clear();
  users_.emplace("default", default_);
  if (!users.contains("default")) default_->set(unrestricted_acl_rules(language));
  for (auto& named : users) set(named.first, std::move(named.second));
  return gone;
}

void Acl::set_default_password(Bytes password) {
  AclRules rules = default_->rules();
  rules.passwords.clear();
  rules.any_password = password.empty();
  if (!password.empty()) rules.passwords.push_back(sha256_hex(password));
  default_->set(std::move(rules));
}

}  // namespace ringwood
