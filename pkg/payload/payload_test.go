package payload_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/payload"
)

func TestDecode_names_the_member_of_a_wrong_type(t *testing.T) {
	for data, want := range map[string]payload.WrongTypeError{
		`{"room_id":7}`:                  {Field: "room_id", Is: "number"},
		`{"content":{"text":["hello"]}}`: {Field: "content.text", Is: "array"},
		`{"content":"hello"}`:            {Field: "content", Is: "string"},
		`{"client_id":true}`:             {Field: "client_id", Is: "true"},
		`{"type":{}}`:                    {Field: "type", Is: "object"},
	} {
		var into contract.SendData
		var got *payload.WrongTypeError
		if err := payload.Decode([]byte(data), &into); !errors.As(err, &got) || *got != want {
			t.Errorf("%s: got %v, want %v", data, err, &want)
		}
	}
}

func TestDecode_refuses_what_is_not_one_clean_value(t *testing.T) {
	for _, data := range []string{
		``, ` `, `{`, `{}}`, `{} {}`, `[]`, `7`, `"x"`, `{"room_id":"a",}`, `{'room_id':"a"}`,
		`{"room_id":"a","room_id":"b"}`, `{"unknown":1,"unknown":2}`, "{\"room_id\":\"\xff\"}", "{\"room_id\":\"\n\"}", `{"room_id":"\ud800"}`, `{"room_id":01}`,
	} {
		var into contract.SendData
		if err := payload.Decode([]byte(data), &into); err == nil {
			t.Errorf("%q was read as %+v", data, into)
		}
	}
}

// Whatever is read here, encoding/json reads the same from: none of our types
// means something else to one of them.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"room_id":"r","client_id":"c","type":"text","content":{"text":"hi \u00e9 \ud83d\ude00"}}`,
		`{"room_id":null,"content":null,"more":[1,2,{"x":1e9}]}`, `null`, `{"content":{"text":"a\"b\\c\/d\n"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, into := range []func() any{
			func() any { return new(contract.SendData) },
			func() any { return new(contract.SendRequest) },
			func() any { return new(contract.HistoryReply) },
		} {
			got, want := into(), into()
			if payload.Decode(data, got) != nil {
				continue
			}
			if err := json.Unmarshal(data, want); err != nil {
				t.Fatalf("%q: read here, but encoding/json says %v", data, err)
			}
			if !reflect.DeepEqual(got, want) && !foldedNames(data) {
				t.Fatalf("%q: read as %+v here, as %+v by encoding/json", data, got, want)
			}
		}
	})
}

// foldedNames reports whether there are capitals: encoding/json takes ROOM_ID
// for room_id.
func foldedNames(data []byte) bool {
	for _, b := range data {
		if b >= 'A' && b <= 'Z' || b >= 0x80 || b == '\\' {
			return true
		}
	}
	return false
}

func TestDecode_names_the_member_that_is_malformed(t *testing.T) {
	for data, want := range map[string]string{
		`{"content":{"text":"\ud83d"}}`:    "content.text",
		`{"room_id":"a","room_id":"b"}`:    "room_id",
		`{"content":{"text":"","text":1}}`: "content.text",
	} {
		var into contract.SendData
		var got *payload.MalformedError
		if err := payload.Decode([]byte(data), &into); !errors.As(err, &got) || got.Field != want {
			t.Errorf("%s: got %v, want %s", data, err, want)
		}
	}
}

func TestMember(t *testing.T) {
	for data, want := range map[string]string{
		`{"id":"7","op":"ping"}`:                   "7",
		`{"data":{"id":"no"},"id":"7","x":"\ud800`: "7",
		`{"x":"\ud800","id":"7"}`:                  "7",
		`{"id":7}`:                                 "",
		`{"id":"seven!!!!"}`:                       "",
		`["id","7"]`:                               "",
		`{"op":"ping"}`:                            "",
		``:                                         "",
	} {
		if got := payload.Member([]byte(data), "id", 8); got != want {
			t.Errorf("%s: got %q, want %q", data, got, want)
		}
	}
}
