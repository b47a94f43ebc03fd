// Package payload reads what comes as JSON over NATS and WebSockets. It is
// encoding/json's successor (https://github.com/golang/go/discussions/63397),
// a quarter of whose time the former takes for a message, and it is strict:
// names count as they are written, none may stand twice, and text is UTF-8.
package payload

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// WrongTypeError says which member of an object is of a type that it may not
// have. It does not tell what the member holds.
type WrongTypeError struct {
	Field string // its path, with dots: content.text
	Is    string // its type in JSON: "string", "number", "true", "false", "null", "object" or "array"
}

func (e *WrongTypeError) Error() string { return fmt.Sprintf("%s is a %s", e.Field, e.Is) }

// Decode reads one JSON value into what into points to. Members that it does
// not have are passed over, so that newer peers may send more. The error is a
// *WrongTypeError if it can be; what into then holds is of no use.
func Decode(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	var wrong *json.SemanticError
	if errors.As(err, &wrong) && wrong.JSONPointer != "" {
		field := strings.ReplaceAll(string(wrong.JSONPointer[1:]), "/", ".")
		return &WrongTypeError{Field: field, Is: kindName(wrong.JSONKind)}
	}
	return err
}

func kindName(k jsontext.Kind) string {
	switch k {
	case jsontext.KindBeginObject:
		return "object"
	case jsontext.KindBeginArray:
		return "array"
	default:
		return k.String()
	}
}
