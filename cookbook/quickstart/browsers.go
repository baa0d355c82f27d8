package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/larder-go/larder/core/rest"
)

var (
	corsOrigins = flag.String("cors", "", "`origins` of browser applications that may send requests, separated by commas, such as https://app.example")
	hostNames   = flag.String("host", "", "`names` besides localhost that requests to a loopback address may have in Host, separated by commas; others are 421")
)

// forBrowsers returns the handler with CORS for the origins of -cors, behind a check of Host. The methods and headers come
// from package rest, so that a script can send preconditions, and read the ETag, the Link and the reason of a 401.
func forBrowsers(next http.Handler) (http.Handler, error) {
	origins, err := split(*corsOrigins, checkOrigin)
	if err != nil {
		return nil, fmt.Errorf("-cors: %w", err)
	}
	names, err := split(*hostNames, checkHost)
	if err != nil {
		return nil, fmt.Errorf("-host: %w", err)
	}
	if len(origins) > 0 {
		next = cors.New(cors.Options{
			AllowedOrigins: origins,
			AllowedMethods: rest.Methods(),
			AllowedHeaders: rest.RequestHeaders(),
			ExposedHeaders: rest.AnswerHeaders(),
			MaxAge:         600, // seconds between two preflights of a URL
		}).Handler(next)
	}
	return onlyFor(names, next), nil
}

// onlyFor answers requests that arrive at a loopback address with 421, unless their Host is localhost, a loopback address or
// one of the names. Otherwise a page of any origin reaches a server that only this machine should reach: its name needs
// only to resolve to 127.0.0.1 (DNS rebinding), and for the browser both are one origin, so CORS does not apply.
func onlyFor(names []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		if local != nil && local.IP.IsLoopback() && !isLocal(r.Host, names) {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "the Host of the request is no name of this server; use localhost, or start the server with the name in -host", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether a Host, with or without a port, is localhost, a loopback address or one of the names.
func isLocal(host string, names []string) bool {
	name := strings.ToLower((&url.URL{Host: host}).Hostname())
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.IsLoopback()
	}
	return name == "localhost" || slices.Contains(names, name)
}

// split returns the elements of a list with commas, in lower case. Each must pass the check.
func split(list string, check func(element string) error) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	elements := strings.Split(strings.ToLower(list), ",")
	for _, element := range elements {
		if err := check(element); err != nil {
			return nil, err
		}
	}
	return elements, nil
}

func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host || strings.Contains(origin, "*") {
		return fmt.Errorf("%q is not an origin; use scheme, host and port without a path, such as https://app.example or http://localhost:5173", origin)
	}
	return nil
}

func checkHost(name string) error {
	if name == "" || strings.ContainsAny(name, ":/ ") {
		return fmt.Errorf("%q is not a name of a host; give the name without scheme, port and path, such as shop.example", name)
	}
	return nil
}
