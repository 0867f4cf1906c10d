# Shared by tools/run and tools/test: finds and installs missing Debian packages. Source it; $tool names the caller in messages.

say() { printf '%s: %s\n' "$tool" "$*" >&2; }
die() { say "$*"; exit 1; }

# The prefix that makes a command run as root, into the array as_root. Fails where there is no way.
become_root() {
  as_root=()
  if [[ $(id -u) -eq 0 ]]; then return 0; fi
  command -v sudo >/dev/null || return 1
  # Without a terminal nobody can type a password: sudo must then do without, or refuse at once instead of waiting.
  if [[ -t 0 ]]; then as_root=(sudo); else as_root=(sudo -n); fi
  "${as_root[@]}" true 2>/dev/null
}

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# missing_packages SPEC...: fills the array missing. SPEC is PACKAGE, or PACKAGE:COMMAND where having that command by any other way will do.
missing_packages() {
  local spec
  missing=()
  for spec; do
    if [[ $spec == *:* ]] && command -v "${spec#*:}" >/dev/null; then continue; fi
    is_installed "${spec%%:*}" || missing+=("${spec%%:*}")
  done
}

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2; }

# The package lists are refreshed only where they cannot serve: absent on a bare machine, or so old that a download fails.
apt_install() {
  apt-get -qq -s install --no-install-recommends "$@" >/dev/null 2>&1 || apt update || return
  apt install -y --no-install-recommends "$@" || { apt update && apt install -y --no-install-recommends "$@"; }
}

# install_packages SPEC...: installs what is missing, says what, and does nothing when all is there. 1 where that cannot be done.
install_packages() {
  missing_packages "$@"
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if ! command -v apt-get >/dev/null; then say "missing: ${missing[*]} (Debian's names; install them by this system's own means)"; return 1; fi
  if ! become_root; then say "missing: ${missing[*]}; run this as root:  apt-get install ${missing[*]}"; return 1; fi
  say "installing with apt-get: ${missing[*]}"
  apt_install "${missing[@]}" || { say "apt-get could not install: ${missing[*]}"; return 1; }
}

# As install_packages, for packages whose installation starts a service, which must not happen: the
# services have their packages' names. Services of packages were there before are the user's own and are left alone.
policy=/usr/sbin/policy-rc.d
saved=/usr/sbin/policy-rc.d.saved-by-ringwood
restore_policy() {
  "${as_root[@]}" rm -f "$policy"
  if [[ -e $saved || -L $saved ]]; then "${as_root[@]}" mv "$saved" "$policy"; fi
  rm -f "$deny"
}
install_without_starting() {
  local -a services=()
  local service status=0
  missing_packages "$@"
  [[ ${#missing[@]} -gt 0 ]] || return 0
  services=("${missing[@]}")
  if ! command -v apt-get >/dev/null || ! become_root; then install_packages "$@"; return; fi
  # invoke-rc.d asks policy-rc.d before it starts anything; 101 means "not allowed". What stood there comes back in every case.
  deny=$(mktemp)
  printf '#!/bin/sh\n# Written by ringwood/tools/test for the time of one installation.\nexit 101\n' >"$deny"
  if [[ -e $saved || -L $saved ]]; then "${as_root[@]}" mv -f "$saved" "$policy"; fi  # an earlier run was killed
  if [[ -e $policy || -L $policy ]]; then "${as_root[@]}" mv "$policy" "$saved"; fi
  trap restore_policy EXIT
  trap 'exit 130' INT TERM HUP
  "${as_root[@]}" install -m 755 "$deny" "$policy"
  install_packages "$@" || status=1
  restore_policy
  trap - EXIT INT TERM HUP
  # Installing also enables the service for the next boot: undo that as well.
  if [[ $status -eq 0 ]]; then
    for service in "${services[@]}"; do
      if command -v systemctl >/dev/null; then "${as_root[@]}" systemctl disable --quiet "$service.service" >/dev/null 2>&1 || true; fi
      if command -v update-rc.d >/dev/null; then "${as_root[@]}" update-rc.d "$service" disable >/dev/null 2>&1 || true; fi
    done
    say "installed without starting or enabling a service: ${services[*]}"
  fi
  return $status
}

# What both need to build the server.
build_packages=(meson:meson ninja-build:ninja g++ pkg-config:pkg-config liburing-dev libmimalloc-dev libxxhash-dev liblz4-dev libssl-dev
  liblua5.1-0-dev lua-cjson-dev libcli11-dev)

# The default -march is that of 2013's and later servers; on an older CPU the build takes what every x86-64 has.
cpu_option() {
  if [[ $(uname -m) == x86_64 ]] && ! grep -qw avx2 /proc/cpuinfo; then echo -Dcpu=baseline; fi
}
