package main

import "testing"

func TestCheckFiles(t *testing.T) {
	if err := checkFiles(10); err != nil {
		t.Error(err)
	}
	if checkFiles(1<<40) == nil {
		t.Error("a million million connections are fine")
	}
}
