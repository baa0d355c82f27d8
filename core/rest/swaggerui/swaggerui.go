// Package swaggerui serves Swagger UI, a page about an OpenAPI document from which a person can send requests:
//
//	docs, err := swaggerui.New("/docs", "/openapi.json")
//	mux.Handle("/docs/", docs)
//
// The files of Swagger UI are part of the program (github.com/swaggest/swgui), and add about 600 kB to it. The page loads
// nothing from other servers, and its Content-Security-Policy permits no scripts but these files.
//
// A token that a person enters stays in the memory of the page. The package explorer has pages for the records themselves.
package swaggerui

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed index.html start.js
var own embed.FS

var index = template.Must(template.ParseFS(own, "index.html"))

// policy permits the files of Swagger UI, requests to the same server, and images within style sheets. Swagger UI sets the
// attribute style of some elements, and no style sheets of its own.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// New returns a handler that serves the page at path + "/", and its files below. document is the URL of the OpenAPI document,
// as the browser requests it: usually the Prefix of the API and "/openapi.json". Mount the handler for all requests
// below path. It holds the files in memory, 2 MB, and is safe for concurrent use.
//
// New returns an error if the path is no absolute path without a slash at its end.
func New(path, document string) (http.Handler, error) {
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return nil, fmt.Errorf("swaggerui: the path %q must begin with a slash and not end with one, such as \"/docs\"", path)
	}
	files, err := load(document)
	if err != nil {
		return nil, fmt.Errorf("swaggerui: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, below := strings.CutPrefix(r.URL.Path, path+"/")
		found, known := files[name]
		switch {
		case !below || !known:
			http.NotFound(w, r)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", policy)
		h.Set("Content-Type", found.media)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		w.Write(found.text)
	}), nil
}

// file is a file of the page.
type file struct {
	media string
	text  []byte
}

const script = "text/javascript; charset=utf-8"

// load returns the files of the page by name; the empty name is the page itself.
func load(document string) (map[string]file, error) {
	var page bytes.Buffer
	err := index.Execute(&page, document)
	start, startErr := own.ReadFile("start.js")
	bundle, bundleErr := unzip("swagger-ui-bundle.js.gz")
	style, styleErr := unzip("swagger-ui.css.gz")
	icon, iconErr := static.FS.ReadFile("favicon-32x32.png")
	return map[string]file{
		"":                     {"text/html; charset=utf-8", page.Bytes()},
		"start.js":             {script, start},
		"swagger-ui-bundle.js": {script, bundle},
		"swagger-ui.css":       {"text/css; charset=utf-8", style},
		"favicon-32x32.png":    {"image/png", icon},
	}, errors.Join(err, startErr, bundleErr, styleErr, iconErr)
}

// unzip returns the content of a file of Swagger UI, which is embedded in gzip.
func unzip(name string) ([]byte, error) {
	zipped, err := static.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer zipped.Close() //nolint:errcheck // the file is embedded
	r, err := gzip.NewReader(zipped)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
