// Package promtest gives tests of programs a real Prometheus server, and the queries
// of a Grafana dashboard to ask it.
package promtest
