#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --configz: the live kubelet is asked itself, at its own port with a client certificate and through an API
# server. Its word is evidence, a contradiction ends a change, and silence is reported and no proof of anything.
# KUBECTL_BIN names a real kubectl to be used instead of the stand-in.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
for program in openssl curl python3; do
  command -v $program >/dev/null || skip "$program is missing"
done
pki=/etc/fake-pki
name=node-1
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse

# certificate NAME SUBJECT [EXTENSION]
certificate() {
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$2" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -days 2 -out "$1.crt" \
    ${3:+-extfile <(echo "$3")} 2>/dev/null
}

# kubeconfig NAME: for the client of that name, as JSON.
kubeconfig() {
  cat <<JSON
{"apiVersion": "v1", "kind": "Config", "current-context": "e2e",
 "clusters": [{"name": "e2e", "cluster": {"server": "https://127.0.0.1:6443",
   "certificate-authority": "$pki/ca.crt"}}],
 "users": [{"name": "$1", "user": {"client-certificate": "$pki/$1.crt",
   "client-key": "$pki/$1.key"}}],
 "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "$1"}}]}
JSON
}

# Puts certificates and servers into the current node, which is not booted.
install_servers() {
  mkdir -p "$NODE_ROOT$pki" "$NODE_ROOT/usr/local/bin"
  (
    cd "$NODE_ROOT$pki"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 \
      -subj "/CN=e2e" 2>/dev/null
    certificate server node-1 "subjectAltName=IP:127.0.0.1"
    certificate admin admin
    certificate guest guest
    kubeconfig admin >admin.conf
    kubeconfig guest >guest.conf
  )
  install -m 0755 "$E2E_DIR/https_server.py" "$NODE_ROOT/usr/local/bin/https-server"
  install -m 0755 "${KUBECTL_BIN:-$E2E_DIR/kubectl.py}" "$NODE_ROOT/usr/bin/kubectl"
  printf '#!/bin/sh\nexec /usr/local/bin/https-server %s 10250 %s\n' $pki "$name" \
    >"$NODE_ROOT/usr/local/bin/kubelet-port"
  chmod 0755 "$NODE_ROOT/usr/local/bin/kubelet-port"
  printf '[Service]\nExecStart=/usr/local/bin/https-server %s 6443 %s\n' $pki "$name" \
    >"$NODE_ROOT/etc/systemd/system/api-server.service"
  node_settings server=/usr/local/bin/kubelet-port
}

direct=(--configz --client-certificate $pki/admin.crt --client-key $pki/admin.key)
guest=(--configz --client-certificate $pki/guest.crt --client-key $pki/guest.key)
kubectl=(--configz --kubeconfig $pki/admin.conf)
ids() { json '[f["id"] for f in d["findings"] if f["id"].startswith("configz")]'; }
message() { json '[f["message"] for f in d["findings"] if f["id"].startswith("configz")][0]'; }
answers() { node_run bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null; }

node_new kops
install_servers
node_boot
node_start
node_run systemctl start api-server.service
wait_until 20 answers 6443 || fail "the API server does not answer"
wait_until 20 answers 10250 || fail "nothing answers on the port of the kubelet"

# 1. At the kubelet's own port. What it says agrees with its arguments, and is seen again after a change.
assert_exit 0 tool show "${direct[@]}" -o json
assert_eq "argv ok []" "$(json 'd["running"]["evidence"]') $(json 'd["running"]["configz"]') $(ids)"
assert_exit 0 tool show -o json
assert_eq null "$(json 'd["running"]["configz"]')" "nobody wanted it asked"
assert_exit 0 tool add kernel.sem "${direct[@]}" --window 500ms -o json
assert_eq "applied ok []" "$(json 'd["outcome"]') $(json 'd["evidence"]["configz"]') $(ids)"
assert_eq "$list,kernel.sem" "$(kubelet_flag)"

# 2. Through the API server.
assert_exit 0 tool remove kernel.sem "${kubectl[@]}" --window 500ms -o json
assert_eq "applied ok []" "$(json 'd["outcome"]') $(json 'd["evidence"]["configz"]') $(ids)"
assert_eq "$list" "$(kubelet_flag)"

# 3. The kubelet says another list than the files and its arguments: the change goes back, and that is seen.
keep /etc/sysconfig/kubelet
echo "kernel.msgmax $list" >"$(node_path $pki/lie)"
assert_exit 4 tool add kernel.msgmax "${direct[@]}" --window 500ms -o json
assert_eq "rolled-back ok" "$(json 'd["outcome"]') $(json 'd["evidence"]["configz"]')"
assert_contains "$OUT" "the kubelet itself says that it runs with another list"
assert_same_bytes "$(kept /etc/sysconfig/kubelet)" "$(node_path /etc/sysconfig/kubelet)"
assert_eq "$list" "$(kubelet_flag)"
# The same seen by show.
echo "net.core.somaxconn kernel.sem" >"$(node_path $pki/lie)"
assert_exit 6 tool show "${kubectl[@]}" --exit-code -o json
assert_eq 'configz differs true ["configz-differs"]' "$(json 'd["running"]["evidence"]') $(
  json 'd["running"]["configz"]') $(json 'd["drift"]') $(ids)"
assert_eq '["kernel.sem"]' "$(json 'd["running"]["entries"]')"
rm "$(node_path $pki/lie)"

# 4. Who may not ask is reported so, and the other evidence holds.
assert_exit 0 tool add kernel.sem "${guest[@]}" --window 500ms -o json
assert_eq 'applied unknown ["configz-silent"]' \
  "$(json 'd["outcome"]') $(json 'd["evidence"]["configz"]') $(ids)"
case $(message) in *403*) ;; *) fail "it does not say why: $(message)" ;; esac
assert_exit 0 tool show --configz --kubeconfig $pki/guest.conf -o json
case $(message) in *Forbidden*) ;; *) fail "it does not say why: $(message)" ;; esac
assert_exit 6 tool show --configz --exit-code -o json
case $(message) in *"no credentials are at hand"*) ;; *) fail "seen: $(message)" ;; esac

# 5. An answer that may be another's is none: of a machine with the same name, of another process.
node_run cat /proc/sys/kernel/random/uuid >"$(node_path $pki/boot_id)"
assert_exit 0 tool show "${kubectl[@]}" -o json
assert_eq "unknown" "$(json 'd["running"]["configz"]')"
case $(message) in *"is not this machine"*) ;; *) fail "seen: $(message)" ;; esac
rm "$(node_path $pki/boot_id)"
assert_exit 0 tool show "${kubectl[@]}" -o json
assert_eq "ok" "$(json 'd["running"]["configz"]')"
node_settings
node_run systemctl restart kubelet.service
node_wait_healthy
node_run systemd-run --quiet /usr/local/bin/https-server $pki 10250 x
wait_until 20 answers 10250 || fail "nothing answers on the port of the kubelet"
assert_exit 0 tool show "${direct[@]}" -o json
case $(message) in *"does not listen on port 10250"*) ;; *) fail "seen: $(message)" ;; esac
node_kill

# 6. A file that is newer than the process proves nothing; the kubelet itself does.
node_new kubeadm-deb
install_servers
node_boot
node_start
wait_until 20 answers 10250 || fail "nothing answers on the port of the kubelet"
node_run touch /var/lib/kubelet/config.yaml
assert_exit 0 tool show -o json
assert_eq "none null" "$(json 'd["running"]["evidence"]') $(json 'd["running"]["entries"]')"
assert_exit 0 tool show "${direct[@]}" -o json
assert_eq "configz ok" "$(json 'd["running"]["evidence"]') $(json 'd["running"]["configz"]')"
assert_eq "$(kubelet_list)" "$(json '",".join(d["running"]["entries"])')"
assert_exit 0 tool add kernel.sem "${direct[@]}" --window 500ms -o json
assert_eq "applied ok" "$(json 'd["outcome"]') $(json 'd["evidence"]["configz"]')"

# 7. The kubelet has an address of its own, and another process has its port on loopback: that one is not
# believed, the kubelet's own socket is.
list=$(kubelet_list)
sed -i 's/ 10250 .*/ 10250 '$name' 127.0.0.2/' "$(node_path /usr/local/bin/kubelet-port)"
echo 'address: 127.0.0.2' >>"$(node_path /var/lib/kubelet/config.yaml)"
node_run systemctl restart kubelet.service
node_wait_healthy
own() { node_run bash -c 'exec 3<>/dev/tcp/127.0.0.2/10250' 2>/dev/null; }
wait_until 20 own || fail "nothing answers on the address of the kubelet"
node_run cp -r $pki /etc/impostor
echo "${list%%,*} kernel.msgmax" >"$(node_path /etc/impostor/lie)"
node_run systemd-run --quiet /usr/local/bin/https-server /etc/impostor 10250 x 127.0.0.1
wait_until 20 answers 10250 || fail "the other process does not listen"
assert_exit 0 tool show "${direct[@]}" -o json
assert_eq "ok" "$(json 'd["running"]["configz"]')"
assert_eq "$list" "$(json '",".join(d["running"]["entries"])')"
# Nor is it where the kubelet's own socket is not there.
sed -i 's/ 10250 .*/ 10251 '$name' 127.0.0.2/' "$(node_path /usr/local/bin/kubelet-port)"
node_run systemctl restart kubelet.service
node_wait_healthy
assert_exit 0 tool show "${direct[@]}" -o json
assert_eq "unknown" "$(json 'd["running"]["configz"]')"
case $(message) in *"does not listen on port 10250"*) ;; *) fail "seen: $(message)" ;; esac
