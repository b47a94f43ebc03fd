package mongotest

import "testing"

func TestWithDatabase(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://a":                          "mongodb://a/x",
		"mongodb://a:1,b:2/":                   "mongodb://a:1,b:2/x",
		"mongodb://a/old?replicaSet=rs":        "mongodb://a/x?replicaSet=rs",
		"mongodb://u:p@a/":                     "mongodb://u:p@a/x?authSource=admin",
		"mongodb+srv://u:p@a/old?w=1":          "mongodb+srv://u:p@a/x?w=1&authSource=old",
		"mongodb://u:p@a/old?authSource=other": "mongodb://u:p@a/x?authSource=other",
	} {
		if got := WithDatabase(uri, "x"); got != want {
			t.Errorf("%s became %s, want %s", uri, got, want)
		}
	}
}
