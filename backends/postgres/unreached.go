package postgres

import (
	"slices"
	"strings"
)

// unreachedError is the error of a server that could not be reached or let us not in. Its
// text has one line, where pgx writes one for each attempt.
type connectError struct{ error }

func (e *connectError) Unwrap() error { return e.error }

// Error names each attempt once. That a server does not do TLS is left out where others
// are left: it is the first half of what sslmode=prefer asks for.
func (e *connectError) Error() string {
	lines := strings.Split(e.error.Error(), "\n")
	var attempts []string
	for _, line := range lines[1:] {
		if line = strings.TrimSpace(line); !slices.Contains(attempts, line) {
			attempts = append(attempts, line)
		}
	}
	telling := slices.DeleteFunc(slices.Clone(attempts), func(line string) bool {
		return strings.HasSuffix(line, "server refused TLS connection")
	})
	if len(telling) == 0 {
		telling = attempts
	}
	return "postgres: " + strings.TrimSpace(lines[0]+" "+strings.Join(telling, "; "))
}
