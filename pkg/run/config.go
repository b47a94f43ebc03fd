package run

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// Variable describes one setting.
type Variable struct {
	Name string // PREFIX_NAME
	// Shared is the name without the prefix, which is looked at when Name is
	// not set; empty for a setting of this service only.
	Shared   string
	Type     string
	Default  string
	Required bool
	Desc     string
}

// Config fills the struct that cfg points to from the environment. A field
// is named by its tag `envconfig:"NAME"`, behind the prefix: AUTH_NAME. The
// fields of pkg's own structs, and those tagged `shared:"true"`, may also be
// set for all services at once as NAME. Structs within are filled as if their
// fields stood in cfg. A string tagged `form:"…"` must be of that form. The
// error names everything that is wrong or missing, by the variable that was set.
func Config(prefix string, cfg any) error {
	var errs []error
	walk(prefix, reflect.ValueOf(cfg).Elem(), func(v Variable, field reflect.StructField, value reflect.Value) {
		if err := fill(v, field, value); err != nil {
			errs = append(errs, err)
		}
	})
	return errors.Join(errs...)
}

// Variables lists what Config reads, in the order of the fields.
func Variables(prefix string, cfg any) []Variable {
	var list []Variable
	walk(prefix, reflect.ValueOf(cfg).Elem(), func(v Variable, _ reflect.StructField, _ reflect.Value) {
		list = append(list, v)
	})
	return list
}

func walk(prefix string, cfg reflect.Value, visit func(Variable, reflect.StructField, reflect.Value)) {
	for i := range cfg.NumField() {
		field := cfg.Type().Field(i)
		name := field.Tag.Get("envconfig")
		switch {
		case !field.IsExported() || field.Tag.Get("ignored") == "true":
		case name == "" && field.Type.Kind() == reflect.Struct:
			walk(prefix, cfg.Field(i), visit)
		case name != "":
			v := Variable{
				Name:     prefix + "_" + name,
				Type:     field.Type.String(),
				Default:  field.Tag.Get("default"),
				Required: field.Tag.Get("required") == "true",
				Desc:     field.Tag.Get("desc"),
			}
			if isShared(cfg.Type(), field) {
				v.Shared = name
			}
			visit(v, field, cfg.Field(i))
		}
	}
}

func isShared(in reflect.Type, field reflect.StructField) bool {
	path := in.PkgPath()
	return field.Tag.Get("shared") == "true" || strings.Contains(path, "/parley/pkg/") && !strings.HasSuffix(path, "_test")
}

// fill has envconfig read one field, by way of a struct of that field only:
// given them all, it stops at the first that is wrong.
func fill(v Variable, field reflect.StructField, value reflect.Value) error {
	prefix, name, _ := strings.Cut(v.Name, "_")
	tag := fmt.Sprintf("default:%q required:%q", v.Default, fmt.Sprint(v.Required))
	if v.Shared != "" {
		tag += fmt.Sprintf(" envconfig:%q", v.Shared)
	}
	if v.Default == "" {
		tag = strings.TrimPrefix(tag, `default:"" `)
	}
	one := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: name, Type: field.Type, Tag: reflect.StructTag(tag),
	}}))
	if err := envconfig.Process(prefix, one.Interface()); err != nil {
		var parse *envconfig.ParseError
		if errors.As(err, &parse) { // its own text repeats the value, which may be a secret
			return notValid(v)
		}
		return fmt.Errorf("%s is required", v.Name) // its text has half of the name
	}
	value.Set(one.Elem().Field(0))
	if err := checkForm(field.Tag.Get("form"), value.String()); err != nil {
		name, _ := set(v)
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
