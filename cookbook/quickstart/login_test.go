package main_test

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestFailedLoginIsOneLineWithoutThePassword(t *testing.T) {
	server := pgtest.Own(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts no connection
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	at := func(host, user, password, rest string) string {
		u := url.URL{Scheme: "postgres", Host: host, User: url.UserPassword(user, password)}
		return u.String() + rest
	}
	here, standby := server.Address(), server.Standby(t).TCP()
	for name, c := range map[string]struct{ store, want string }{
		"wrong password":       {at(here, "postgres", "hunter2", "/postgres"), `password authentication failed for user "postgres"`},
		"unknown role":         {at(here, "nobody", "hunter2", "/postgres"), `password authentication failed for user "nobody"`},
		"no password":          {"postgres://postgres@" + here + "/postgres?passfile=/dev/null", "password"},
		"unknown database":     {strings.Replace(server.TCP(), "/postgres?", "/cellar?", 1), `database "cellar" does not exist`},
		"no listener":          {at("127.0.0.1:1", "postgres", "hunter2", "/postgres"), "127.0.0.1:1"},
		"no answer":            {at(silent.Addr().String(), "postgres", "hunter2", "/postgres?connect_timeout=1"), silent.Addr().String()},
		"none of several":      {at("127.0.0.1:1,"+here, "postgres", "hunter2", "/postgres"), "password authentication failed"},
		"no primary":           {standby + "&target_session_attrs=read-write", "read only"},
		"a standby":            {standby, "target_session_attrs=read-write"},
		"not in the right way": {at(here, "postgres", "hunter2", "/postgres?sslmode=require"), "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			code, said := recipetest.Fail(t, "-store", c.store)
			if code != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, c.want) {
				t.Errorf("exit code %d, printed %q; want 1 and %q", code, said, c.want)
			}
			u, err := url.Parse(c.store)
			if err != nil {
				t.Fatal(err)
			}
			if password, is := u.User.Password(); is && strings.Contains(said, password) {
				t.Errorf("printed the password: %q", said)
			}
			if strings.Contains(said, "; ") != (name == "none of several" || name == "no answer") {
				t.Errorf("not every attempt is named once: %q", said)
			}
		})
	}
}
