package run

import (
	"fmt"
	"os"
	"regexp"
)

// set is the variable that the setting was read from, and its value.
func set(v Variable) (name, value string) {
	if value, ok := os.LookupEnv(v.Name); ok || v.Shared == "" {
		return v.Name, value
	}
	return v.Shared, os.Getenv(v.Shared)
}

// onlyDigits is a duration without its unit. No secret is that short.
var onlyDigits = regexp.MustCompile(`^[0-9]{1,9}$`)

// notValid says how the setting's value is written. The value itself is not
// repeated: it may be a secret that was put into the wrong variable.
func notValid(v Variable) error {
	name, value := set(v)
	if value == "" {
		return fmt.Errorf("%s is set, but empty: unset it for its default, %s", name, v.Default)
	}
	switch v.Type {
	case "time.Duration":
		if onlyDigits.MatchString(value) {
			return fmt.Errorf("%s has no unit: write %ss for seconds, or %sms, %sm, %sh", name, value, value, value, value)
		}
		return fmt.Errorf("%s is not a duration: write numbers with their units h, m, s or ms, such as 1m30s; the default is %s", name, v.Default)
	case "slog.Level":
		return fmt.Errorf("%s is not a level: write debug, info, warn or error", name)
	case "bool":
		return fmt.Errorf("%s is not a truth value: write true or false", name)
	case "int", "int32", "int64", "uint", "uint32", "uint64":
		return fmt.Errorf("%s is not a whole number: write digits only; the default is %s", name, v.Default)
	case "float64":
		return fmt.Errorf("%s is not a number: write one such as %s, the default", name, v.Default)
	default:
		return fmt.Errorf("%s is not a valid %s", name, v.Type)
	}
}
