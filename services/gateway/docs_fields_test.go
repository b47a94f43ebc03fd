package gateway

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// answered are the schemas of openapi.yaml, and what a gateway answers. nil
// stands for one that has no fields.
var answered = map[string]any{
	"User": contract.User{}, "UserProfile": contract.UserProfile{}, "Grant": contract.Grant{}, "Session": contract.Session{},
	"Friend": friend{}, "NewFriend": newFriend{}, "Room": contract.Room{}, "Member": member{}, "AddedMembers": contract.AddMembersReply{},
	"Content": contract.Content{}, "Message": contract.Message{}, "HistoryPage": contract.HistoryReply{}, "JWKS": contract.JWKS{},
	"Problem": problem{}, "ID": nil, "Time": nil, "Sex": nil, "Role": nil,
}

// listed are the operations of openapi.yaml that answer pages, and their entries.
var listed = map[string]any{
	"listSessions": contract.Session{}, "listFriends": friend{}, "listRooms": contract.Room{}, "listMembers": member{},
}

// bodies are the operations of openapi.yaml that take a body, and what a gateway
// reads of it.
var bodies = map[string]any{
	"sendCode": credentials{}, "register": credentials{}, "login": credentials{}, "resetPassword": credentials{}, "changePassword": credentials{},
	"refresh": refreshBody{}, "updateMe": profileBody{}, "addFriend": friendBody{}, "createRoom": roomBody{}, "renameRoom": nameBody{},
	"addMembers": membersBody{}, "setRole": roleBody{}, "sendMessage": messageBody{}, "setRead": readBody{},
}

// commanded are the schemas of asyncapi.yaml for frames of clients, and what
// these carry.
var commanded = map[string]any{
	"Auth": contract.AuthData{}, "MessageSend": contract.SendData{}, "MessagesGet": contract.GetData{},
	"MessageRemove": contract.SeqData{}, "ReadSet": contract.SeqData{}, "Ping": nil,
}

// sent are all other schemas of asyncapi.yaml, and what a gateway sends.
var sent = map[string]any{
	"OK": ack{}, "Error": refusal{}, "SeqData": contract.SeqData{}, "SendReply": contract.SendReply{}, "HistoryReply": contract.HistoryReply{},
	"Message": contract.Message{}, "Member": contract.Member{}, "Profile": contract.Profile{},
	"MessageRemovedData": contract.MessageRemovedData{}, "RoomHeadData": contract.RoomHeadData{}, "RoomReadData": contract.RoomReadData{},
	"RoomReadsData": contract.RoomReadsData{}, "RoomCreatedData": contract.RoomCreatedData{}, "RoomUpdatedData": contract.RoomUpdatedData{},
	"RoomDisbandedData": contract.RoomDisbandedData{}, "MemberJoinedData": contract.MemberJoinedData{}, "MemberLeftData": contract.MemberLeftData{},
	"UserDisabledData": contract.UserDisabledData{}, "FriendAddedData": contract.FriendAddedData{}, "FriendRemovedData": contract.FriendRemovedData{},
	"SessionRevokedData": contract.SessionRevokedData{}, "ReadyData": contract.ReadyData{}, "DrainingData": contract.DrainingData{},
	"ID": nil, "Seq": nil, "Time": nil, "FrameID": nil,
}

// demanded are properties that a rule demands although their fields may be left
// out: a client can send nothing but texts.
var demanded = []string{"MessageSend.data.content.text"}

// loadAsync reads the schemas of asyncapi.yaml, the last part of the file, which
// are those of OpenAPI.
func loadAsync(t *testing.T) openapi3.Schemas {
	t.Helper()
	const file = "../../docs/asyncapi.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, components, _ := strings.Cut(string(data), "\ncomponents:\n")
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true // to openapi.yaml
	doc, err := loader.LoadFromDataWithPath([]byte("openapi: 3.1.0\ncomponents:\n"+components), &url.URL{Path: file})
	if err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas
}

// Each field that goes over the wire is in the schema, and each property of the
// schema is a field; those that are left out when empty are not required.
func TestDocs_openapi_has_every_field(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range doc.Components.Schemas {
		value, known := answered[name]
		if !known {
			t.Errorf("schema %s is not in the table", name)
		} else if value != nil {
			documentedAs{t, true}.check(name, schema, reflect.TypeOf(value))
		}
	}
	read := map[string]bool{} // fields of credentials, which several operations share
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.RequestBody != nil {
				checkBody(t, op, read)
			}
			if ok := op.Responses.Status(200); ok != nil && ok.Value.Content != nil {
				checkPage(t, op.OperationID, ok.Value.Content.Get("application/json").Schema)
			}
		}
	}
	if got := slices.Sorted(maps.Keys(read)); !slices.Equal(got, slices.Sorted(maps.Keys(jsonFields(reflect.TypeFor[credentials]())))) {
		t.Errorf("of credentials only %v are documented", got)
	}
}

func checkBody(t *testing.T, op *openapi3.Operation, read map[string]bool) {
	t.Helper()
	schema := op.RequestBody.Value.Content.Get("application/json").Schema
	value, known := bodies[op.OperationID]
	switch {
	case !known:
		t.Errorf("operation %s takes a body, and is not in the table", op.OperationID)
	case value == credentials{}:
		fields := jsonFields(reflect.TypeOf(value))
		for name := range schema.Value.Properties {
			if _, known := fields[name]; !known {
				t.Errorf("%s: no field %s is read", op.OperationID, name)
			}
			read[name] = true
		}
	default:
		documentedAs{t, false}.check(op.OperationID, schema, reflect.TypeOf(value))
	}
}

// checkPage looks at answers that have no schema of their own.
func checkPage(t *testing.T, operation string, schema *openapi3.SchemaRef) {
	t.Helper()
	entry, known := listed[operation]
	switch {
	case schema.Ref != "":
	case !known:
		t.Errorf("operation %s answers what is not in the table", operation)
	default:
		page := reflect.StructOf([]reflect.StructField{
			{Name: "Items", Type: reflect.SliceOf(reflect.TypeOf(entry)), Tag: `json:"items"`},
			{Name: "NextCursor", Type: reflect.TypeFor[string](), Tag: `json:"next_cursor"`},
		})
		if names := jsonFields(reflect.TypeFor[list[int]]()); len(names) != page.NumField() {
			t.Fatalf("a page has the fields %v", names)
		}
		documentedAs{t, true}.check(operation, schema, page)
	}
}

func TestDocs_asyncapi_has_every_field(t *testing.T) {
	schemas := loadAsync(t)
	for name, schema := range schemas {
		if carried, known := commanded[name]; known {
			checkCommand(t, name, schema.Value, carried)
			continue
		}
		value, known := sent[name]
		if !known {
			t.Errorf("schema %s is not in the table", name)
		} else if value != nil {
			documentedAs{t, true}.check(name, schema, reflect.TypeOf(value))
		}
	}
	for _, push := range contract.Pushes() {
		if value := sent[push.Data]; value == nil || reflect.TypeOf(value).Name() != push.Data || schemas[push.Data] == nil {
			t.Errorf("push %s carries %s, of which there is no schema", push.Op, push.Data)
		}
	}
	for name := range maps.All(commanded) {
		if schemas[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
	}
}

// checkCommand compares the frame, and what it carries.
func checkCommand(t *testing.T, name string, schema *openapi3.Schema, carried any) {
	t.Helper()
	frame := jsonFields(reflect.TypeFor[contract.Frame]())
	if carried == nil {
		delete(frame, "data")
	} else {
		documentedAs{t, true}.check(name+".data", schema.Properties["data"], reflect.TypeOf(carried))
	}
	if got, want := slices.Sorted(maps.Keys(schema.Properties)), slices.Sorted(maps.Keys(frame)); !slices.Equal(got, want) {
		t.Errorf("%s has the properties %v, want %v", name, got, want)
	}
}

// documentedAs compares types with schemas. Of what clients send it is the rules
// that say what is required, not the type.
type documentedAs struct {
	*testing.T
	required bool
}

// check compares a type with its schema, and all within.
func (d documentedAs) check(path string, schema *openapi3.SchemaRef, typ reflect.Type) {
	d.Helper()
	if schema == nil || schema.Value == nil {
		d.Errorf("%s has no schema", path)
		return
	}
	s := schema.Value
	if len(s.AllOf) == 1 { // a reference with a description of its own
		s = s.AllOf[0].Value
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch want := jsonType(typ); {
	case typ == reflect.TypeFor[fault.Error]():
		d.checkFault(path, s)
	case want == "": // whatever it holds
	case s.Type == nil: // values that are listed: contract's TestTables compares those
		if len(s.Enum) == 0 && s.Const == nil {
			d.Errorf("%s has no type", path)
		}
	case !s.Type.Is(want):
		d.Errorf("%s is a %v, want %s", path, *s.Type, want)
	case want == "array":
		d.check(path+"[]", s.Items, typ.Elem())
	case want == "object":
		d.checkObject(path, s, typ)
	}
}

func (d documentedAs) checkObject(path string, s *openapi3.Schema, typ reflect.Type) {
	d.Helper()
	fields := jsonFields(typ)
	if got, want := slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(maps.Keys(fields)); !slices.Equal(got, want) {
		d.Errorf("%s has the properties %v, %s the fields %v", path, got, typ, want)
		return
	}
	for name, field := range fields {
		_, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		optional := strings.Contains(options, "omitempty") && !slices.Contains(demanded, path+"."+name)
		if d.required && optional == slices.Contains(s.Required, name) {
			d.Errorf("%s.%s: the field may be left out: %v; the schema says the opposite", path, name, optional)
		}
		d.check(path+"."+name, s.Properties[name], field.Type)
	}
}

// checkFault compares what a fault is on the wire, which is none of its fields.
func (d documentedAs) checkFault(path string, s *openapi3.Schema) {
	d.Helper()
	members := func(f *fault.Error) []string {
		var all map[string]any
		data, err := json.Marshal(f)
		if err == nil {
			err = json.Unmarshal(data, &all)
		}
		if err != nil {
			d.Fatal(err)
		}
		return slices.Sorted(maps.Keys(all))
	}
	if got, want := slices.Sorted(maps.Keys(s.Properties)), members(fault.Invalid("a", "b").After(time.Second)); !slices.Equal(got, want) {
		d.Errorf("%s has the properties %v, a fault %v", path, got, want)
	}
	if got, want := slices.Sorted(slices.Values(s.Required)), members(fault.New(fault.Internal, "")); !slices.Equal(got, want) {
		d.Errorf("of %s are required %v, a fault always has %v", path, got, want)
	}
}

// jsonFields are the fields of a struct by their names on the wire, with those of
// structs that are embedded.
func jsonFields(typ reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(typ) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			fields[name] = field
		}
	}
	return fields
}

// jsonType is a type's name in schemas; empty for an interface and raw JSON.
func jsonType(typ reflect.Type) string {
	switch {
	case typ == reflect.TypeFor[contract.Time](), typ.Kind() == reflect.String:
		return "string"
	case typ == reflect.TypeFor[json.RawMessage](), typ.Kind() == reflect.Interface:
		return ""
	}
	switch typ.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.Struct:
		return "object"
	default:
		return "integer"
	}
}
