package rest_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// protocols are the ways to speak to a server that Serve runs.
var protocols = []struct {
	name   string
	tls    bool
	choose func(*http.Protocols)
	curl   string // the argument that selects the protocol
	want   string
}{
	{"cleartext HTTP/1.1", false, func(p *http.Protocols) { p.SetHTTP1(true) }, "--http1.1", "HTTP/1.1"},
	{"cleartext HTTP/2", false, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, "--http2-prior-knowledge", "HTTP/2.0"},
	{"TLS, HTTP/1.1", true, func(p *http.Protocols) { p.SetHTTP1(true) }, "--http1.1", "HTTP/1.1"},
	{"TLS, HTTP/2", true, func(p *http.Protocols) { p.SetHTTP2(true) }, "--http2", "HTTP/2.0"},
}

// withTLS returns the listener with TLS, as the documentation of Serve shows it, and a file with its certificate.
func withTLS(t *testing.T, ln net.Listener) (net.Listener, *x509.Certificate, string) {
	t.Helper()
	donor := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is for 127.0.0.1
	t.Cleanup(donor.Close)
	file := filepath.Join(t.TempDir(), "certificate.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: donor.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: donor.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
	return tls.NewListener(ln, config), donor.Certificate(), file
}

func TestServeSpeaksHTTP2WithAndWithoutTLS(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal("curl is missing; run: apt-get install curl")
	}
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			ln, roots, file := listen(t), x509.NewCertPool(), os.DevNull
			if p.tls {
				var certificate *x509.Certificate
				ln, certificate, file = withTLS(t, ln)
				roots.AddCert(certificate)
			}
			entered, leave := make(chan struct{}), make(chan struct{})
			url, stop, stopped := serveOn(t, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if string(body) == "slow" {
					close(entered)
					<-leave
				}
				_, _ = fmt.Fprintf(w, "%s %s %s", r.Method, r.Proto, body)
			}))
			if p.tls {
				url = strings.Replace(url, "http:", "https:", 1)
			}

			out, err := exec.CommandContext(t.Context(), curl, "-sS", "--cacert", file, p.curl, "-X", "PATCH", "-d", "body", url).CombinedOutput()
			if want := "PATCH " + p.want + " body"; err != nil || string(out) != want {
				t.Fatalf("curl: %s, %v, want %s", out, err, want)
			}

			transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
			t.Cleanup(transport.CloseIdleConnections)
			p.choose(transport.Protocols)
			post := func(body string) string {
				res, err := (&http.Client{Transport: transport}).Post(url, "text/plain", strings.NewReader(body))
				if err != nil {
					return err.Error()
				}
				defer res.Body.Close()
				text, err := io.ReadAll(res.Body)
				return fmt.Sprint(string(text), " ", err)
			}
			answer := make(chan string, 1)
			go func() { answer <- post("slow") }()
			select {
			case <-entered:
			case got := <-answer:
				t.Fatalf("the request did not arrive: %s", got)
			}
			if want, got := "POST "+p.want+" quick <nil>", post("quick"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			stop()
			select {
			case err := <-stopped:
				t.Fatalf("Serve ended before its request: %v", err)
			default:
			}
			close(leave)
			if want, got := "POST "+p.want+" slow <nil>", <-answer; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if err := <-stopped; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
}
