//go:build ha

package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // patroni.sh
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed patroni.sh
var patroniScript string

// Patroni is a cluster of three servers, each of them managed by a Patroni, with an etcd. Its methods must not be called
// concurrently, except for those that only ask.
type Patroni struct {
	guardian *guardian
	nodes    []patroniNode
	password string
}

// patroniNode is a server with its Patroni.
type patroniNode struct{ name, server, api string }

// The names of the nodes of a [Patroni].
var patroniNames = []string{"a", "b", "c"}

// The replication role and the user of the REST API.
const (
	replicator = "replicator"
	apiUser    = "test"
)

// StartPatroni starts a cluster on the loopback interface and waits until its three servers run. It ends with the test; if the
// test fails, its output shows the end of the log. The dynamic configuration is that of "patronictl edit-config", in YAML. A
// server keeps commits when its processes are killed. If Patroni or etcd is not installed, the test fails and names the package
// to install.
func StartPatroni(tb testing.TB, dynamic string) *Patroni {
	tb.Helper()
	p, err := startPatroni(dynamic)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("log of the cluster:\n%s", lastBytes(p.guardian.log(0)))
		}
		if err := p.guardian.stop(); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	ctx := context.Background()
	for _, name := range append([]string{"etcd"}, patroniNames...) {
		if err := p.Do(ctx, "start", name); err != nil {
			tb.Fatalf("pgtest: %v", err)
		}
	}
	if err := p.guardian.awaitReady(ctx, p.complete); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return p
}

func startPatroni(dynamic string) (*Patroni, error) {
	bin, err := serverBinaries(debian)
	if err != nil {
		return nil, err
	}
	patroni, patroniErr := exec.LookPath("patroni")
	etcd, etcdErr := exec.LookPath("etcd")
	if err := errors.Join(patroniErr, etcdErr); err != nil {
		return nil, fmt.Errorf("%w: apt-get install patroni etcd-server", err)
	}
	o, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, err := o.directory()
	if err != nil {
		return nil, err
	}
	p := &Patroni{password: rand.Text()}
	var addresses []string
	for range 2 + 2*len(patroniNames) {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, net.JoinHostPort("127.0.0.1", port))
	}
	folders := map[string]string{"etcd": ""}
	for i, name := range patroniNames {
		p.nodes = append(p.nodes, patroniNode{name, addresses[2+2*i], addresses[3+2*i]})
		folders[name] = p.config(p.nodes[i], dynamic, addresses[0], bin, filepath.Join(dir, name))
	}
	for folder, config := range folders {
		path, file := filepath.Join(dir, folder), filepath.Join(dir, folder, "patroni.yml")
		err := errors.Join(os.Mkdir(path, 0o700), os.WriteFile(file, []byte(config), 0o600), os.Chown(path, o.uid, o.gid), os.Chown(file, o.uid, o.gid))
		if err != nil {
			return nil, err
		}
	}
	p.guardian, err = startGuardian(patroniScript, o, dir, []string{
		"patroni=" + patroni, "etcd=" + etcd, "etcd_url=http://" + addresses[0], "etcd_peer=http://" + addresses[1],
	})
	return p, err
}

// config returns the configuration file of a node (patroni.readthedocs.io, "YAML Configuration Settings").
func (p *Patroni) config(n patroniNode, dynamic, etcd, bin, folder string) string {
	return fmt.Sprintf(`scope: cluster
name: %[1]s
restapi:
  listen: %[2]s
  connect_address: %[2]s
  authentication: {username: %[9]s, password: %[3]s}
etcd3: {host: '%[4]s'}
bootstrap:
  dcs:
%[5]s
  initdb: [{encoding: UTF8}, {locale: C}, data-checksums]
postgresql:
  listen: %[6]s
  connect_address: %[6]s
  data_dir: %[7]s/data
  bin_dir: %[8]s
  pgpass: %[7]s/pgpass
  authentication:
    superuser: {username: postgres, password: %[3]s}
    replication: {username: %[10]s, password: %[3]s}
  pg_hba: [host all all 127.0.0.1/32 scram-sha-256, host replication %[10]s 127.0.0.1/32 scram-sha-256]
  parameters: {unix_socket_directories: %[7]s, fsync: 'off', shared_buffers: 64MB, dynamic_shared_memory_type: mmap}
`, n.name, n.api, p.password, etcd, "    "+strings.ReplaceAll(strings.TrimSpace(dynamic), "\n", "\n    "), n.server, folder, bin, apiUser, replicator)
}

// URLs returns the connection strings of the superuser for each server.
func (p *Patroni) URLs() (all []string) {
	for _, n := range p.nodes {
		all = append(all, p.url(n.server))
	}
	return all
}

// URL returns the connection string with the hosts of all servers.
func (p *Patroni) URL() string {
	hosts := make([]string, len(p.nodes))
	for i, n := range p.nodes {
		hosts[i] = n.server
	}
	return p.url(strings.Join(hosts, ","))
}

func (p *Patroni) url(host string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", p.password), Host: host, Path: "postgres", RawQuery: "sslmode=disable"}
	return u.String()
}

// Do executes an order on a node, or on "etcd": start, freeze (SIGSTOP for all its processes), thaw, kill (SIGKILL for all of
// them), or kill-server (SIGKILL for the main process of its server).
func (p *Patroni) Do(ctx context.Context, order, node string) error {
	return p.guardian.order(ctx, order+" "+node)
}

// Member is a node as Patroni shows it.
type Member struct {
	Name, Role, State string
	Timeline          int
}

// Members returns the members of the cluster that Patroni shows, from the first node that answers.
func (p *Patroni) Members(ctx context.Context) ([]Member, error) {
	var failed error
	for _, n := range p.nodes {
		var cluster struct{ Members []Member }
		err := p.call(ctx, n, http.MethodGet, "/cluster", nil, &cluster)
		if err == nil {
			return cluster.Members, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// Role returns the names of the nodes in a role of Patroni: "leader", "sync_standby", "replica".
func (p *Patroni) Role(ctx context.Context, role string) (names []string, _ error) {
	members, err := p.Members(ctx)
	for _, m := range members {
		if m.Role == role {
			names = append(names, m.Name)
		}
	}
	return names, err
}

// AwaitComplete waits until all nodes run, on one timeline, and one of them is a synchronous standby if the configuration asks
// for it.
func (p *Patroni) AwaitComplete(ctx context.Context) error {
	for {
		err := p.complete(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(100 * time.Millisecond): // between two questions
		}
	}
}

// complete returns an error that names the first lack.
func (p *Patroni) complete(ctx context.Context) error {
	members, err := p.Members(ctx)
	if err != nil {
		return err
	}
	roles := make(map[string]int)
	for _, m := range members {
		if roles[m.Role]++; m.State != "running" && m.State != "streaming" || m.Timeline != members[0].Timeline {
			return fmt.Errorf("node %s: %s, %s, timeline %d", m.Name, m.Role, m.State, m.Timeline)
		}
	}
	var config struct {
		Sync bool `json:"synchronous_mode"`
	}
	if err := p.call(ctx, p.nodes[0], http.MethodGet, "/config", nil, &config); err != nil {
		return err
	}
	if len(members) != len(p.nodes) || roles["leader"] != 1 || config.Sync && roles["sync_standby"] != 1 {
		return fmt.Errorf("roles of the nodes: %v", roles)
	}
	return nil
}

// Switchover makes another node the leader: the synchronous standby if there is one.
func (p *Patroni) Switchover(ctx context.Context) error {
	leader, err := p.Role(ctx, "leader")
	if err != nil || len(leader) != 1 {
		return fmt.Errorf("leaders %v: %w", leader, err)
	}
	return p.call(ctx, p.nodes[0], http.MethodPost, "/switchover", map[string]any{"leader": leader[0]}, nil)
}

// Configure changes the dynamic configuration.
func (p *Patroni) Configure(ctx context.Context, changes map[string]any) error {
	return p.call(ctx, p.nodes[0], http.MethodPatch, "/config", changes, nil)
}

// call sends a request to the REST API of a node.
func (p *Patroni) call(ctx context.Context, n patroniNode, method, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+n.api+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.SetBasicAuth(apiUser, p.password)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer w.Body.Close()
	text, err = io.ReadAll(w.Body)
	switch {
	case err != nil:
		return err
	case w.StatusCode != http.StatusOK:
		return fmt.Errorf("%s %s: %s: %s", method, path, w.Status, text)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(text, answer)
}
