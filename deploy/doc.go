// Package deploy holds how Parley runs on many machines: images, Docker
// Compose, the Helm chart, the configuration of NATS, and the checks of all of
// them.
package deploy
