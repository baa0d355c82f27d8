package access

import _ "embed" // the schema is a file so that editors can be pointed at it

// Schema is the JSON Schema (draft 2020-12) of the JSON form of a policy: the file
// policy.schema.json of this package.
//
//go:embed policy.schema.json
var Schema string
