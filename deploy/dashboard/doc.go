// Package dashboard writes the Grafana dashboard, deploy/k8s/parley/files/dashboard.json,
// from rows.go: a list of what each panel shows. Docker Compose and the chart
// use that file.
package dashboard

//go:generate go test . -run TestFile_is_current -update
