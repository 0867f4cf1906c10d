# A cluster on one machine, for tools/run: its nodes' data in data/cluster/PORT of the repository, kept over restarts.

first_port=${first_port:-7001}

# ask PORT COMMAND...: the reply, without carriage returns; nothing where nobody answers.
ask() { redis-cli -p "$1" "${@:2}" 2>/dev/null | tr -d '\r'; }

# The node knows every slot's master, and where it is a replica it holds all that its master holds: only then can it take over (cluster-replica-validity-factor).
serves() {
  [[ $(ask "$1" cluster info) == *cluster_state:ok* ]] || return
  local state
  state=$(ask "$1" info replication)
  [[ $state == *role:master* || $state == *master_link_status:up* ]]
}

# --cluster MASTERS [--replicas EACH] [server options]
run_cluster() {
  local masters=$2 each=0
  shift 2
  if [[ ${1:-} == --replicas ]]; then each=$2; shift 2; fi
  [[ $masters =~ ^[0-9]+$ && $each =~ ^[0-9]+$ ]] || die "--cluster and --replicas take numbers"
  ((masters >= 3)) || die "a cluster has three masters at least: with fewer there is no majority that could replace one"
  command -v redis-cli >/dev/null || install_packages redis-tools || die "redis-cli (package redis-tools) makes the cluster: install it"
  local count=$((masters * (1 + each))) port addresses=() new=1
  pids=()
  trap 'kill "${pids[@]}" 2>/dev/null; wait' EXIT
  for ((port = first_port; port < first_port + count; port++)); do
    local folder=$top/data/cluster/$port
    mkdir -p "$folder"
    [[ -s $folder/nodes.conf ]] && new=0
    (cd "$folder" && exec "$server" --port "$port" --dir "$folder" --cluster-enabled yes --cluster-node-timeout 5000 --shards 2 --repl-diskless-sync-delay 0 "$@" >>"$folder/log" 2>&1) &
    pids+=($!)
    addresses+=("127.0.0.1:$port")
  done
  for address in "${addresses[@]}"; do
    for ((i = 0; i < 100; i++)); do
      [[ $(ask "${address#*:}" ping) == @(PONG|LOADING*) ]] && break
      sleep 0.1
    done
    ((i < 100)) || die "the node at $address did not come up: see data/cluster/${address#*:}/log"
  done
  if ((new)); then redis-cli --cluster create "${addresses[@]}" --cluster-replicas "$each" --cluster-yes || die "the cluster could not be made"; fi
  for address in "${addresses[@]}"; do
    for ((i = 0; i < 600; i++)); do
      serves "${address#*:}" && break
      sleep 0.1
    done
    ((i < 600)) || say "the node at $address does not serve yet: see data/cluster/${address#*:}/log"
  done
  say "the cluster serves: redis-cli -c -p $first_port"
  say "kill -9 of a master (its number: redis-cli -p $first_port info server | grep process_id) shows a failover; Ctrl-C ends all nodes"
  wait
}
