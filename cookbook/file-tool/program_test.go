package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

// result is how a run of the program ended.
type result struct {
	code        int
	out, report string
}

// run runs the program in a directory.
func run(t *testing.T, dir string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), recipetest.Binary(), args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

var cookies = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

// open opens cookies.db in a directory.
func open(t *testing.T, dir string) *core.Store {
	t.Helper()
	store, err := core.New(t.Context(), cookies, file.New(filepath.Join(dir, "cookies.db"), file.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// bake returns a directory with a cookies.db: a jar, two cookies in it, and one of
// them changed.
func bake(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	store := open(t, dir)
	for _, step := range []struct {
		resource string
		fields   map[string]any
	}{
		{"jar", nil},
		{"cookie", map[string]any{"type": "muffin", "jar": 1}},
		{"cookie", map[string]any{"type": "shortbread", "jar": 1}},
	} {
		r := cookies.Resource(step.resource)
		rec, err := r.NewRecord(step.fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Insert(t.Context(), r, rec); err != nil {
			t.Fatal(err)
		}
	}
	r := cookies.Resource("cookie")
	patch, err := r.NewRecord(map[string]any{"id": 2, "type": "oat"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Update(t.Context(), r, patch); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// change changes the content of the file.
func change(t *testing.T, dir string, how func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(dir, "cookies.db")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, how(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const dumped = `{"cookie":{
"1": {"id":1,"type":"muffin","jar":1},
"2": {"id":2,"type":"oat","jar":1}
},"jar":{
"1": {"id":1}
}}
`

func tear(data []byte) []byte { return append(data, `{"n":99,"syn`...) }

// corrupt changes one letter of the first record of a cookie.
func corrupt(data []byte) []byte {
	return bytes.Replace(data, []byte(`"muffin"`), []byte(`"muffim"`), 1)
}

func newer(data []byte) []byte {
	return bytes.Replace(data, []byte(`"version":2`), []byte(`"version":4`), 1)
}

func TestCommands(t *testing.T) {
	same := func(data []byte) []byte { return data }
	empty := func([]byte) []byte { return nil }
	const damaged = `^file-tool: cookies.db is damaged at offset \d+: the checksum does not match, and line \d+, which was written later, is intact; restore a backup, or copy what can be read: file-tool recover cookies.db\n$`
	const tooNew = `^file-tool: cookies.db has a newer format: version 4; this program reads versions up to 3\n$`
	const noJournal = `^file-tool: cookies.db is empty and holds no journal; restore a backup, or remove the file to start with a new one\n$`
	const lossy = `^file-tool: not all of cookies.db could be read\n$`
	const cut = `file: truncating a broken end`
	tests := map[string]struct {
		how     func([]byte) []byte
		command string
		code    int
		out     string
		report  string
	}{
		"verify good":       {same, "verify", 0, `^cookies.db is intact: 3 records, \d+ lines, \d+ bytes\n$`, "^$"},
		"verify torn":       {tear, "verify", 0, `(?s)^cookies.db is intact: 3 records.*its last 12 bytes were left by a crash`, "^$"},
		"verify corrupted":  {corrupt, "verify", 1, "^$", damaged},
		"verify empty":      {empty, "verify", 1, "^$", noJournal},
		"verify newer":      {newer, "verify", 1, "^$", tooNew},
		"dump good":         {same, "dump", 0, "^" + quoted(dumped) + "$", "^$"},
		"dump torn":         {tear, "dump", 0, "^" + quoted(dumped) + "$", "^$"},
		"dump corrupted":    {corrupt, "dump", 1, "^$", damaged},
		"dump newer":        {newer, "dump", 1, "^$", tooNew},
		"recover good":      {same, "recover", 0, `^nothing was lost\n3 records are in cookies.db.recovered\n$`, "^$"},
		"recover torn":      {tear, "recover", 1, `^lost 12 bytes at offset \d+: the line .*\n3 records are in cookies.db.recovered\n$`, lossy},
		"recover corrupted": {corrupt, "recover", 1, `^lost \d+ bytes at offset \d+: the checksum does not match\n2 records are in cookies.db.recovered\n$`, lossy},
		"recover empty":     {empty, "recover", 1, "^$", noJournal},
		"recover newer":     {newer, "recover", 1, "^$", `^file-tool: cannot read the header of cookies.db \(has a newer format: version 4.*\n$`},
		"compact good":      {same, "compact", 0, `^cookies.db had \d+ bytes and has \d+\n$`, "^$"},
		"compact torn":      {tear, "compact", 0, `^cookies.db had \d+ bytes and has \d+\n$`, cut},
		"compact corrupted": {corrupt, "compact", 1, "^$", damaged},
		"compact newer":     {newer, "compact", 1, "^$", tooNew},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := bake(t)
			change(t, dir, tt.how)
			before := content(t, dir, "cookies.db")
			got := run(t, dir, tt.command, "cookies.db")
			if got.code != tt.code || !matches(tt.out, got.out) || !matches(tt.report, got.report) {
				t.Errorf("%+v", got)
			}
			after := content(t, dir, "cookies.db")
			switch {
			case tt.command != "compact" || tt.code != 0:
				if after != before {
					t.Errorf("the file was changed to\n%s", after)
				}
			case len(after) >= len(before) || run(t, dir, "dump", "cookies.db").out != dumped:
				t.Errorf("compacted to\n%s", after)
			}
			if _, err := os.Stat(filepath.Join(dir, "cookies.db.recovered")); (err == nil) != strings.HasSuffix(got.out, "records are in cookies.db.recovered\n") {
				t.Errorf("cookies.db.recovered: %v", err)
			}
		})
	}
}

func TestRecoveredFileIsIntact(t *testing.T) {
	dir := bake(t)
	change(t, dir, corrupt)
	if got := run(t, dir, "recover", "cookies.db", "new.db"); got.code != 1 || !strings.HasSuffix(got.out, "in new.db\n") {
		t.Fatalf("%+v", got)
	}
	if got := run(t, dir, "verify", "new.db"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	want := strings.Replace(dumped, `"1": {"id":1,"type":"muffin","jar":1},`+"\n", "", 1)
	if got := run(t, dir, "dump", "new.db"); got.out != want {
		t.Errorf("%+v", got)
	}
}

func TestRecoverNeverOverwrites(t *testing.T) {
	for _, to := range [][]string{{"cookies.db.recovered"}, {"mine.txt"}, {"cookies.db"}} {
		dir := bake(t)
		if to[0] != "cookies.db" {
			if err := os.WriteFile(filepath.Join(dir, to[0]), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := content(t, dir, to[0])
		got := run(t, dir, "recover", "cookies.db", to[0])
		if to[0] == "cookies.db.recovered" {
			got = run(t, dir, "recover", "cookies.db")
		}
		if got.code != 1 || got.out != "" || got.report != "file-tool: "+to[0]+" exists already; choose another path, because recover overwrites no file\n" {
			t.Errorf("%s: %+v", to, got)
		}
		if content(t, dir, to[0]) != before {
			t.Errorf("%s was overwritten", to)
		}
	}
}

func TestFileInUse(t *testing.T) {
	dir := bake(t)
	store := open(t, dir)
	defer store.Close() //nolint:errcheck // nothing was written
	before := content(t, dir, "cookies.db")
	for _, command := range []string{"recover", "compact"} {
		got := run(t, dir, command, "cookies.db")
		if got.code != 1 || got.out != "" || got.report != "file-tool: cookies.db: is locked: it is already open in this or another process\n" {
			t.Errorf("%s: %+v", command, got)
		}
	}
	for _, command := range []string{"verify", "dump"} {
		if got := run(t, dir, command, "cookies.db"); got.code != 0 || got.report != "" {
			t.Errorf("%s: %+v", command, got)
		}
	}
	if content(t, dir, "cookies.db") != before {
		t.Error("the file was changed")
	}
}

func TestInvalidCommandsEndWithOneLine(t *testing.T) {
	dir := bake(t)
	if err := os.WriteFile(filepath.Join(dir, "diary.txt"), []byte("Dear diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":           {nil, 2, "no command is given"},
		"an unknown":        {[]string{"explode", "cookies.db"}, 2, `unknown command "explode"`},
		"a flag":            {[]string{"-v"}, 2, `unknown command "-v"`},
		"no path":           {[]string{"verify"}, 2, "verify: the path of a file is missing"},
		"an empty path":     {[]string{"dump", ""}, 2, "dump: the path of a file is missing"},
		"two paths":         {[]string{"verify", "cookies.db", "diary.txt"}, 2, `verify: unexpected argument "diary.txt"`},
		"three paths":       {[]string{"recover", "a", "b", "c"}, 2, `recover: unexpected argument "c"`},
		"a flag behind":     {[]string{"dump", "-pretty"}, 2, `dump: unknown flag "-pretty"`},
		"no such file":      {[]string{"compact", "cake.db"}, 1, "cake.db: no such file or directory"},
		"no such directory": {[]string{"recover", "cookies.db", "none/new.db"}, 1, "none/new.db: no such file or directory"},
		"a directory":       {[]string{"verify", "."}, 1, "."},
		"something else":    {[]string{"dump", "diary.txt"}, 1, "diary.txt is not a journal"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, dir, tt.args...)
			if got.code != tt.code || got.out != "" || strings.Count(got.report, "\n") != 1 ||
				!strings.HasPrefix(got.report, "file-tool: ") || !strings.Contains(got.report, tt.says) {
				t.Errorf("%+v", got)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "cake.db")); err == nil {
		t.Error("compact has made a file")
	}
}

func TestUnwritableOutputIsAnError(t *testing.T) {
	dir := bake(t)
	for _, command := range []string{"dump cookies.db", "verify cookies.db", "-help"} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", recipetest.Binary()+" "+command+" >/dev/full")
		cmd.Dir = dir
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "no space left") {
			t.Errorf("%s: exit code %d, %s", command, cmd.ProcessState.ExitCode(), out)
		}
	}
}

// The output is longer than the buffer of a pipe that the test does not read.
func TestSignalEndsACommand(t *testing.T) {
	data := seed.Data{"cookie": {}}
	for i := range 3000 {
		data["cookie"][i] = map[string]any{"type": strings.Repeat("oat", 100)}
	}
	path := filepath.Join(t.TempDir(), "large.db")
	store, err := core.New(t.Context(), cookies, file.New(path, file.Options{Data: data}))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), recipetest.Binary(), "dump", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // the program is writing
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state, err := cmd.Process.Wait(); err != nil || !strings.Contains(state.String(), "terminated") {
		t.Errorf("%v, %v", state, err)
	}
}

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

func quoted(text string) string { return regexp.QuoteMeta(text) }
