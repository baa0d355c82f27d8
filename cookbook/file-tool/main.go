package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/larder-go/larder/backends/file"
)

func main() {
	err := run(os.Args[1:], os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "file-tool:", printable(oneLine(err)))
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

var errUsage = errors.New("see file-tool -help")

const usage = `Usage: file-tool COMMAND PATH

  verify PATH          read all of the file and say whether it is intact
  recover PATH [OUT]   copy what can be read of a damaged file to OUT, a new one;
                       default: PATH.recovered
  dump PATH            print the records as JSON
  compact PATH         write the file anew without what is out of date

verify and dump may be used while a program has the file open. The exit code is 1
when something is wrong with the file, also for recover when it lost something, and
2 for a command that is not understood.
`

// run does what the arguments say.
func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("no command is given; %w", errUsage)
	}
	name, args := args[0], args[1:]
	if name == "-h" || name == "-help" || name == "--help" || name == "help" {
		_, err := io.WriteString(out, usage)
		return err
	}
	c, ok := commands[name]
	if !ok {
		return fmt.Errorf("unknown command %q; %w", name, errUsage)
	}
	if len(args) == 0 || args[0] == "" {
		return fmt.Errorf("%s: the path of a file is missing; %w", name, errUsage)
	}
	for i, arg := range args {
		if i >= c.paths {
			return fmt.Errorf("%s: unexpected argument %q; %w", name, arg, errUsage)
		}
		if strings.HasPrefix(arg, "-") {
			return fmt.Errorf("%s: unknown flag %q, or a path to be written ./%s; %w", name, arg, arg, errUsage)
		}
	}
	return c.do(args, out)
}

// oneLine says in one line what is wrong, in terms of this program.
func oneLine(err error) string {
	if damage, ok := errors.AsType[*file.CorruptError](err); ok {
		return fmt.Sprintf("%s is damaged at offset %d: %s; restore a backup, or copy what can be read: file-tool recover %s",
			damage.Path, damage.Offset, damage.Reason, damage.Path)
	}
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), "file: ")
}
