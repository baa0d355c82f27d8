package swaggerui_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/larder-go/larder/core/rest/swaggerui"
)

func ExampleNew() {
	docs, err := swaggerui.New("/docs", "/openapi.json")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/docs/", docs)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/docs/", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output:
	// 200 text/html; charset=utf-8
}
