package storetest

import "testing"

func interfere(tb testing.TB, open Factory, g Guarded) {}
