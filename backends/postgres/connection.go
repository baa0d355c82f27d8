package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errBadURL shows nothing of the string: wherever it is cut wrongly, a piece of the
// password may be.
var errBadConnectionString = errors.New("postgres: not a connection string such as postgres://user:password@host:5432/database, or one with a wrong setting; " +
	"in user and password write / ? # @ : % as %2F %3F %23 %40 %3A %25, between keywords and values quote blanks")

// ParseConfig reads a connection string as [pgxpool.ParseConfig] does, for a pool that
// is given to [New], and refuses what most likely has a password in the wrong place,
// where errors of connecting would show it. [Open] and [Options.Replicas] take what it
// takes.
//
// Its OnNotice is how the backend learns that a commit did not reach the synchronous
// standby. A program that sets another handler calls this one in it.
//
// Errors: one that says what to write, and shows nothing of the string.
func ParseConfig(connection string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(connection)
	if err != nil || hasMisplacedPassword(connection) || !hasValidSettings(&config.ConnConfig.Config) {
		return nil, errBadConnectionString
	}
	recordSyncRepWarning(&config.ConnConfig.Config)
	return config, nil
}

// cutsPassword reports whether a URL has an @ behind what ends its authority
// (RFC 3986, section 3.2). Most likely the password has a character there that is
// not encoded, and what is before it would be taken for the port, and shown as
// such.
func hasMisplacedPassword(url string) bool {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	return end >= 0 && strings.Contains(rest[end:], "@")
}

// setting matches the names of settings (manual, section 20.1.1).
var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// namesSettings reports whether what the server is to be told of are settings. A URL
// with a wrong scheme passes for the name of one, which the server would repeat.
func hasValidSettings(config *pgconn.Config) bool {
	for name := range config.RuntimeParams {
		if !settingName.MatchString(name) {
			return false
		}
	}
	return true
}

// refusedSetting returns another error in place of one in which the server repeats the
// name or the value of a setting, which in "password=top secret=x" is a piece of the
// password.
func hideSetting(config *pgconn.Config, err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch server.Code {
	case "08P01", "22023", "42501", "42602", "42704", "55P02":
	default:
		return err
	}
	for name := range config.RuntimeParams {
		if strings.Contains(strings.ToLower(server.Message), strings.ToLower(name)) {
			return fmt.Errorf("the server refuses a setting of the connection string (SQLSTATE %s)", server.Code)
		}
	}
	return err
}
