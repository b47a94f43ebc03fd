// Package payload reads what comes as JSON over NATS and WebSockets. It is
// encoding/json's successor (https://github.com/golang/go/discussions/63397),
// a quarter of whose time the former takes for a message, and it is strict:
// names count as they are written, none may stand twice, and text is UTF-8.
package payload

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

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

// MalformedError says which member of an object cannot be read: its text holds
// half of a surrogate pair, for example, or its name occurs twice.
type MalformedError struct {
	Field string // its path, with dots
	cause error
}

func (e *MalformedError) Error() string { return fmt.Sprintf("%s: %v", e.Field, e.cause) }

// Unwrap returns what is wrong with the member.
func (e *MalformedError) Unwrap() error { return e.cause }

// Member returns a member of the outermost object that is a text of at most
// limit characters, also if the rest of the object is no JSON, or "".
func Member(data []byte, name string, limit int) string {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject {
		return ""
	}
	for {
		token, err := d.ReadToken()
		if err != nil || token.Kind() != jsontext.KindString {
			return ""
		}
		if token.String() != name {
			if d.SkipValue() != nil {
				return ""
			}
			continue
		}
		value, err := d.ReadToken()
		if err != nil || value.Kind() != jsontext.KindString {
			return ""
		}
		if text := value.String(); utf8.RuneCountInString(text) <= limit {
			return text
		}
		return ""
	}
}

// Decode reads one JSON value into what into points to. Members that it does
// not have are passed over, so that newer peers may send more. The error is a
// *WrongTypeError or a *MalformedError if one member is at fault; what into
// then holds is of no use.
func Decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return named(err)
	}
	return nil
}

// named names the member that an error of Unmarshal is about, if there is one.
func named(err error) error {
	var wrong *json.SemanticError
	var malformed *jsontext.SyntacticError
	switch {
	case errors.As(err, &malformed) && malformed.JSONPointer != "" && len(malformed.JSONPointer) <= maxField:
		return &MalformedError{Field: dotted(malformed.JSONPointer), cause: err}
	case errors.As(err, &wrong) && wrong.JSONPointer != "":
		return &WrongTypeError{Field: dotted(wrong.JSONPointer), Is: kindName(wrong.JSONKind)}
	}
	return err
}

// maxField is the longest path that is named, in bytes: its names are the
// sender's.
const maxField = 128

func dotted(p jsontext.Pointer) string { return strings.ReplaceAll(string(p[1:]), "/", ".") }

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
