package main_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
	"github.com/larder-go/larder/core/rest"
)

// request sends a request with headers, names and values in turn, and returns the status and the headers of the answer.
func request(t *testing.T, method, url, body string, headers ...string) (status int, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	req.Host = req.Header.Get("Host")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode, res.Header
}

func TestAnswersToAnOriginOfCorsAreReadable(t *testing.T) {
	base := recipetest.Start(t, "-auth", "-cors", "https://app.example,http://localhost:5173").Base
	const app = "https://app.example"
	for _, row := range []struct {
		method, path, body string
		headers            []string
		status             int
	}{
		{"PUT", "/jar/1", `{}`, []string{"Authorization", "Bearer alice"}, 201},
		{"GET", "/jar", "", []string{"Authorization", "Bearer alice"}, 200},
		{"GET", "/jar", "", nil, 401},
		{"GET", "/jar/7", "", []string{"Authorization", "Bearer alice"}, 404},
		{"PATCH", "/jar/1", `{}`, []string{"Authorization", "Bearer alice", "If-Match", `"a"`}, 412},
		{"POST", "/jar", `"` + strings.Repeat("x", 9<<20) + `"`, []string{"Authorization", "Bearer alice"}, 413},
		{"GET", "/metrics", "", nil, 401},
	} {
		for _, origin := range []string{app, "http://localhost:5173", "https://evil.example"} {
			if row.status == 201 && origin != app {
				continue
			}
			status, header := request(t, row.method, base+row.path, row.body, append(row.headers, "Content-Type", "application/json", "Origin", origin)...)
			want := origin
			if origin == "https://evil.example" {
				want = ""
			}
			if got := header.Get("Access-Control-Allow-Origin"); status != row.status || got != want {
				t.Errorf("%s %s from %s: %d for %q", row.method, row.path, origin, status, got)
			}
			exposed := strings.Split(header.Get("Access-Control-Expose-Headers"), ", ")
			for _, name := range rest.AnswerHeaders() {
				if want != "" && !slices.Contains(exposed, http.CanonicalHeaderKey(name)) {
					t.Errorf("%s %s: %s is not exposed", row.method, row.path, name)
				}
			}
			if got := header.Values("Vary"); !slices.ContainsFunc(got, func(v string) bool { return strings.Contains(v, "Origin") }) {
				t.Errorf("%s %s: Vary %q", row.method, row.path, got)
			}
			if header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s permits cookies", row.method, row.path)
			}
		}
	}
}

func TestPreflightPermitsEveryMethodAndHeaderOfTheAPI(t *testing.T) {
	base := recipetest.Start(t, "-auth", "-cors", "https://app.example").Base
	names := make([]string, 0, len(rest.RequestHeaders()))
	for _, name := range rest.RequestHeaders() {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names) // a browser sends them sorted and in lower case
	for _, method := range rest.Methods() {
		for origin, permitted := range map[string]bool{"https://app.example": true, "https://app.example:444": false, "null": false} {
			status, header := request(t, "OPTIONS", base+"/jar/1?depth=2", "", "Origin", origin, "Access-Control-Request-Method", method,
				"Access-Control-Request-Headers", strings.Join(names, ","))
			allowed := header.Get("Access-Control-Allow-Origin") == origin &&
				header.Get("Access-Control-Allow-Methods") == method && header.Get("Access-Control-Allow-Headers") == strings.Join(names, ",")
			if status != http.StatusNoContent || allowed != permitted {
				t.Errorf("%s from %s: %d %v", method, origin, status, header)
			}
		}
	}
}

func TestWithoutCorsNoOriginIsPermitted(t *testing.T) {
	base := recipetest.Start(t).Base
	_, header := request(t, "OPTIONS", base+"/jar", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("the answer has %s", name)
		}
	}
}

func TestLoopbackServerAnswersOnlyItsNames(t *testing.T) {
	base := recipetest.Start(t, "-host", "Shop.example,other.example").Base
	for host, want := range map[string]int{
		"localhost": 200, "LocalHost:80": 200, "127.0.0.1": 200, "127.9.9.9:8080": 200, "[::1]:8080": 200, "[::1]": 200,
		"shop.example": 200, "SHOP.example:443": 200, "other.example": 200,
		"evil.example": 421, "localhost.evil.example": 421, "evil-localhost": 421, "127.0.0.1.evil.example": 421,
		"192.0.2.1": 421, "0.0.0.0": 421, "evil.example:80": 421, "shop.example.evil": 421,
	} {
		for _, path := range []string{"/jar", "/openapi.json", "/metrics"} {
			if status, _ := request(t, "GET", base+path, "", "Host", host); status != want {
				t.Errorf("Host %s: %s is %d, want %d", host, path, status, want)
			}
		}
	}
}
