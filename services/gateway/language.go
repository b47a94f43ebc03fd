package gateway

import (
	"strconv"
	"strings"
)

// The languages that mails are written in.
const (
	english = "en"
	chinese = "zh"
)

// languageOf is the language of ours that an Accept-Language header prefers
// (RFC 9110, section 12.5.4); English when it names none of them, or both alike
// with English first.
func languageOf(header string) string {
	best, most := english, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(part, ";")
		primary, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		primary = strings.ToLower(primary)
		if primary == "*" {
			primary = english
		}
		if weight := qualityOf(params); (primary == english || primary == chinese) && weight > most {
			best, most = primary, weight
		}
	}
	return best
}

// qualityOf is the weight that the parameters give, 1 without one, and 0 for
// one that makes no sense.
func qualityOf(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		weight, err := strconv.ParseFloat(value, 64)
		if err != nil || !(weight >= 0 && weight <= 1) { // NaN is neither
			return 0
		}
		return weight
	}
	return 1
}
