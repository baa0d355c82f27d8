package resttest

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// clients is how many talk to a server at once.
const clients = 20

// rounds is how often each of the many clients acts: 50, or what the environment
// variable LARDER_ROUNDS says.
func rounds(tb testing.TB) int {
	tb.Helper()
	text := os.Getenv("LARDER_ROUNDS")
	if text == "" {
		return 50
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("LARDER_ROUNDS %q is no positive number", text)
	}
	return n
}

func testManyClients(t *testing.T, newBackend NewBackend) {
	t.Run("20 clients add their own cookie to one jar and none is lost", func(t *testing.T) {
		testOneJar(t, setup{model: cookies()}.start(t, newBackend))
	})
	t.Run("20 clients swap marriages and none is torn", func(t *testing.T) {
		testMarriages(t, setup{model: family()}.start(t, newBackend))
	})
}

// together calls fn for each client at once, and waits for all.
func together(fn func(i int)) {
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

func testOneJar(t *testing.T, c *client) {
	for round := range rounds(t) {
		jar := strconv.Itoa(round + 1)
		c.check(t, exchange{"PUT /jar/" + jar, `{}`, 201, ""})
		added := make([]int, clients)
		together(func(i int) {
			r := c.send(t, "POST", "/cookie", reader(`{"jar": `+jar+`}`))
			if r.status != 201 {
				t.Errorf("POST: %d %s", r.status, r.body)
			}
			added[i], _ = strconv.Atoi(r.field("id"))
		})
		slices.Sort(added)
		if got := c.check(t, exchange{"GET /jar/" + jar, "", 200, ""}).field("cookies"); got != jsonOf(added) {
			t.Fatalf("jar %s holds %s, added were %s", jar, got, jsonOf(added))
		}
	}
}

// testMarriages has everybody marry again and again, from both sides, while
// others look whether each couple agrees.
func testMarriages(t *testing.T, c *client) {
	c.check(t, exchange{"POST /male", `[` + strings.Repeat(`{}, `, clients-1) + `{}]`, 201, ""})
	c.check(t, exchange{"POST /female", `[` + strings.Repeat(`{}, `, clients-1) + `{}]`, 201, ""})
	males, females := idsOf(t, c, "/male"), idsOf(t, c, "/female")
	for round := range rounds(t) {
		together(func(i int) {
			male, female := males[i], females[(i+round*7)%clients]
			target, body := "/male/"+male, `{"wife": `+female+`}`
			if i%2 == 1 {
				target, body = "/female/"+female, `{"husband": `+male+`}`
			}
			if r := c.send(t, "PATCH", target, reader(body)); r.status != 200 {
				t.Errorf("PATCH: %d %s", r.status, r.body)
			}
			if i%5 == 0 {
				agree(t, c)
			}
		})
		agree(t, c)
		for i, male := range males { // everybody has asked for somebody else than all others
			if want := females[(i+round*7)%clients]; c.send(t, "GET", "/male/"+male, nil).field("wife") != want {
				t.Fatalf("round %d: male %s has not the wife %s", round, male, want)
			}
		}
	}
}

func idsOf(t *testing.T, c *client, target string) []string {
	t.Helper()
	var ids []json.RawMessage
	if err := json.Unmarshal(c.check(t, exchange{"GET " + target + "?depth=0", "", 200, ""}).body, &ids); err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return texts
}

// agree checks in one answer that whoever is shown as married is so from both
// sides.
func agree(t *testing.T, c *client) {
	r := c.send(t, "GET", "/male?depth=3", nil)
	var males []struct {
		ID   int
		Wife *struct{ Husband *struct{ ID int } }
	}
	if err := json.Unmarshal(r.body, &males); err != nil || len(males) != clients {
		t.Errorf("GET /male: %v in %d %s", err, r.status, r.body)
	}
	for _, m := range males {
		if m.Wife != nil && (m.Wife.Husband == nil || m.Wife.Husband.ID != m.ID) {
			t.Errorf("male %d is torn in %s", m.ID, r.body)
		}
	}
}
