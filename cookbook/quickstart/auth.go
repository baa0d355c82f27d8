package main

import (
	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
)

// The tokens are the names themselves: good for a demonstration and for nothing
// else. The recipe authentication shows the real thing.
var demo = program.Tokens{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"user"}},
	"bob":   {ID: core.TextValue("bob"), Roles: []string{"user"}},
	"admin": {ID: core.TextValue("admin"), Roles: []string{"admin"}},
}
