package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/payload"
)

// maxDepth is how deep a body may nest; none that is asked for needs ten.
const maxDepth = 32

// errNotJSON refuses what is no JSON object and nothing but.
var errNotJSON = fault.New(fault.InvalidArgument, "the body is not one JSON object")

// decodeBody reads a JSON object into a struct, by the rule that frames follow
// (package payload): names count as they are written, and text is well-formed.
// Members that the struct does not have are ignored, so that newer clients can
// talk to older gateways. A member that occurs twice, also in another case, is
// refused: which one counts would be a guess, and a proxy that looked at the
// body may have guessed otherwise.
func decodeBody(body []byte, into any) error {
	if !utf8.Valid(body) {
		return fault.New(fault.InvalidArgument, "the body is not UTF-8")
	}
	if err := checkObject(body); err != nil {
		return err
	}
	if err := payload.Decode(body, into); err != nil {
		return asFault(err, errNotJSON)
	}
	return nil
}

// asFault names the member that package payload could not read; otherwise, that
// is.
func asFault(err error, otherwise *fault.Error) *fault.Error {
	var wrong *payload.WrongTypeError
	var malformed *payload.MalformedError
	switch {
	case errors.As(err, &wrong):
		return fault.Invalid(wrong.Field, "is a "+wrong.Is)
	case errors.As(err, &malformed):
		return fault.Invalid(malformed.Field, "is not well-formed, or occurs twice")
	default:
		return otherwise.Because(err)
	}
}

// checkObject walks the tokens of the body once.
func checkObject(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	first, err := decoder.Token()
	if err != nil || first != json.Delim('{') {
		return errNotJSON
	}
	if err := checkMembers(decoder, "", 1); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errNotJSON
	}
	return nil
}

// checkMembers reads the rest of an object whose brace has been read. Names
// that differ in case only are the same to encoding/json.
func checkMembers(decoder *json.Decoder, path string, depth int) error {
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			return errNotJSON
		}
		if folded := strings.ToLower(name); seen[folded] {
			return fault.Invalid(path+name, "stands twice")
		} else {
			seen[folded] = true
		}
		if err := checkValue(decoder, path+name+".", depth); err != nil {
			return err
		}
	}
	return closes(decoder)
}

func checkValue(decoder *json.Decoder, path string, depth int) error {
	token, err := decoder.Token()
	if err != nil || depth >= maxDepth {
		return errNotJSON
	}
	switch token {
	case json.Delim('{'):
		return checkMembers(decoder, path, depth+1)
	case json.Delim('['):
		for decoder.More() {
			if err := checkValue(decoder, path, depth+1); err != nil {
				return err
			}
		}
		return closes(decoder)
	}
	return nil
}

func closes(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return errNotJSON
	}
	return nil
}
