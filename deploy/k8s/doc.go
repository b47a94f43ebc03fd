// Package k8s holds the Helm chart in parley/, the plain manifests in
// manifests/ that are rendered from it, and the checks of both, which need no
// cluster.
package k8s

//go:generate go test . -run "TestSchema_is_current|TestManifests_are_current" -update
