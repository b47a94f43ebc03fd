package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of CPU times in /proc: USER_HZ, the same on every
// architecture that Linux runs on today.
const ticksPerSecond = 100

// procfs is where Linux tells of processes; other systems have none, and then
// -pid is refused.
type procfs string

// process is one that is watched.
type process struct {
	pid  int
	name string
}

// usage is what a process has used.
type usage struct {
	CPU    time.Duration // since its start, user and system
	Memory int64         // resident bytes
}

// name is the program, and the part of Parley that it runs.
func (fs procfs) name(pid int) (string, error) {
	line, err := os.ReadFile(filepath.Join(string(fs), strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return "", fmt.Errorf("read process: %w", err)
	}
	args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	name := filepath.Base(args[0])
	for i, arg := range args[:len(args)-1] {
		if arg == "-only" || arg == "--only" {
			name = args[i+1]
		}
	}
	return name, nil
}

// read tells what a process has used by now.
func (fs procfs) read(pid int) (usage, error) {
	dir := filepath.Join(string(fs), strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return usage{}, fmt.Errorf("read process: %w", err)
	}
	// The name stands in brackets and may hold anything: count from its end.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	statm, err := os.ReadFile(filepath.Join(dir, "statm"))
	if err != nil {
		return usage{}, fmt.Errorf("read process: %w", err)
	}
	pages := strings.Fields(string(statm))
	if len(fields) < 13 || len(pages) < 2 {
		return usage{}, fmt.Errorf("read process: %s is not as expected", dir)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	resident, err3 := strconv.ParseInt(pages[1], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return usage{}, fmt.Errorf("read process: %s has no numbers where they should be", dir)
	}
	return usage{
		CPU:    time.Duration(user+system) * time.Second / ticksPerSecond,
		Memory: resident * int64(os.Getpagesize()),
	}, nil
}

// readAll reads several.
func (fs procfs) readAll(watched []process) ([]usage, error) {
	all := make([]usage, len(watched))
	for i, p := range watched {
		var err error
		if all[i], err = fs.read(p.pid); err != nil {
			return nil, err
		}
	}
	return all, nil
}
