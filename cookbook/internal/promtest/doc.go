// Package promtest runs a real Prometheus server for tests of programs, and sends it the queries of a Grafana dashboard.
package promtest
