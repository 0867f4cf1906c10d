// The users that the configuration names, and the ACL file.
#include "tools/server/server.h"
#include "tools/server/whole_file.h"

namespace ringwood {

// False after telling what is wrong: a server whose users are not those that were asked for must not start.
bool Server::load_users() {
  const Options& o = options_.get();
  if (!o.aclfile.empty() && !o.users.empty()) {
    log_.write(
        LogLevel::kWarning,
        "Configuring users in the configuration file and an ACL file at the same time is refused: it would be easy to be wrong about who "
        "may do what. Please define either an ACL file or declare users directly in your redis.conf, but not both.");
    return false;
  }
  const UserLine* at_fault = nullptr;
  OwnedBytes error = load_configured_users(*acl_, o, at_fault);
  if (at_fault) {
    std::fprintf(stderr, "%s\n", format_config_error({at_fault->line.number, at_fault->line.text, error}).c_str());
    log_.write(LogLevel::kWarning, "Critical error while loading ACLs: %s. Exiting.", error.c_str());
    return false;
  }
  if (!o.aclfile.empty()) {
    OwnedBytes text;
    error = read_acl_file(text);
    if (!error.empty()) {
      error = "Error loading ACLs, opening file '" + o.aclfile + "': " + error;
    } else {
      AclFileUsers read = ringwood::read_acl_file(text, o.aclfile, acl_->language(o));
      error = std::move(read.error);
      if (error.empty()) acl_->replace(std::move(read.users), acl_->language(o));
    }
    if (!error.empty()) {
      log_.write(LogLevel::kWarning, "Aborting Redis startup because of ACL errors: %s", error.c_str());
      return false;
    }
  }
  for (const auto& [name, user] : acl_->users())
    if (!user->rules().enabled)
      log_.write(LogLevel::kNotice, "The user '%s' is disabled (there is no 'on' modifier in the user description).", name.c_str());
  return true;
}

OwnedBytes Server::read_acl_file(OwnedBytes& text) { return read_whole_file(options_.get().aclfile, text); }
OwnedBytes Server::write_acl_file(Bytes text) { return write_whole_file(options_.get().aclfile, text); }

}  // namespace ringwood
