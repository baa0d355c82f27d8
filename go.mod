module github.com/larder-go/larder

go 1.26.0

require pgregory.net/rapid v1.3.0

require github.com/yuin/goldmark v1.8.7 // indirect

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/tidwall/btree v1.8.2
)
