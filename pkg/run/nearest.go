package run

// Nearest returns the candidate that name is most likely a misspelling of, or
// "" when none is close: at most one edit in three letters, and three in all,
// may lie between them. An edit adds, drops, replaces or swaps letters.
func Nearest(name string, candidates []string) string {
	best, bestEdits := "", max(1, min(3, len(name)/3))+1
	for _, c := range candidates {
		if n := edits(name, c); n < bestEdits {
			best, bestEdits = c, n
		}
	}
	return best
}

// edits is the optimal string alignment distance of a and b, in bytes:
// https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
