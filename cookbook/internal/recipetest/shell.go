package recipetest

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// shell is one process of sh that runs commands one after the other.
type shell struct {
	in  io.Writer
	out *bufio.Reader
}

func newShell(t *testing.T, dir string) *shell {
	t.Helper()
	// Programs of Node.js write colours to a pipe too where CI or FORCE_COLOR is set, as on build servers.
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "unset FORCE_COLOR; NO_COLOR=1; export NO_COLOR; exec 2>&1; exec sh")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &shell{in: in, out: bufio.NewReader(out)}
}

const mark = "=== end of output, exit code "

// run returns the output of a command, its standard error included, and its exit code. The standard input of the command
// is empty, because the shell reads commands from its own.
func (s *shell) run(t *testing.T, command string) (output, code string) {
	t.Helper()
	if _, err := io.WriteString(s.in, "{ "+strings.TrimSuffix(command, "\n")+"\n} </dev/null; printf '\\n"+mark+"%s\\n' $?\n"); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if code, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimSuffix(b.String(), "\n"), strings.TrimSuffix(code, "\n")
		}
		b.WriteString(line)
		if err != nil {
			t.Fatalf("$ %s%s: the shell ended: %v", command, b.String(), err)
		}
	}
}
