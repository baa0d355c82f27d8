// File-tool inspects and repairs files of backends/file:
//
//	go run ./cookbook/file-tool verify cookies.db
//
// It needs no model, because the header of a file describes the fields. README.md shows all commands.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
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

  verify PATH          read the whole file and report whether it is intact
  recover PATH [OUT]   copy the readable records of a damaged file to OUT, a new
                       file; default: PATH.recovered
  dump PATH            print the records as JSON
  compact PATH         rewrite the file without outdated versions of records

verify and dump also work while a program has the file open. The exit code is 1
for an invalid file and for a recover that lost records, and 2 for a command that
does not exist.
`

// run runs the command that the arguments name.
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

// oneLine returns the text of an error in one line, with the command of this program that helps.
func oneLine(err error) string {
	if damage, ok := errors.AsType[*file.CorruptError](err); ok && damage.Recoverable() {
		return fmt.Sprintf("%s is damaged at offset %d: %s; restore a backup, or copy what can be read: file-tool recover %s",
			damage.Path, damage.Offset, damage.Reason, damage.Path)
	}
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), "file: ")
}

// printable escapes every character of a text that is not graphic, such as control characters, changes of direction, line
// ends and invalid UTF-8. Names, paths and values may hold such characters, and a terminal would obey them.
func printable(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(quoted[1 : len(quoted)-1])
}
