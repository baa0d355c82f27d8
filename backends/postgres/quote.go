package postgres

import "strings"

// maxName is how many bytes a name in PostgreSQL has at most (manual, section
// 4.1.1); longer ones are cut without an error.
const maxName = 63

// quote spells a name as SQL does (manual, section 4.1.1).
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quoted spells a text as SQL does (manual, section 4.1.2).
func quoted(text string) string {
	if !strings.Contains(text, `\`) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return " E'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", "''") + "'"
}
