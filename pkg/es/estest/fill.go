package estest

import (
	"fmt"
	"reflect"
	"time"
)

// Fill gives every exported field of what p points to a value that is not zero, different ones as far as their types
// allow: numbers of named types are 1, since they stand for one of a few things. set may fill a value of its own kind, and
// says whether it did; it may be nil. So a test sees when a field is added that code under test does not know.
func Fill(p any, set func(reflect.Value) bool) {
	n := 0
	fill(reflect.ValueOf(p).Elem(), &n, set)
}

func fill(v reflect.Value, n *int, set func(reflect.Value) bool) {
	*n++
	if set != nil && set(v) {
		return
	}
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.UnixMilli(1_700_000_000_000 + int64(*n)).UTC()
		return
	case *time.Duration:
		*x = time.Duration(*n) * time.Second
		return
	}
	number := int64(*n % 100)
	if v.Type().PkgPath() != "" {
		number = 1
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("s", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(number)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(number))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n, set)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n, set)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n, set)
			}
		}
	default:
		panic(fmt.Sprintf("estest: a %s cannot be filled", v.Type()))
	}
}
