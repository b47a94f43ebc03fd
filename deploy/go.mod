module github.com/parley-im/parley/deploy

go 1.26.0
