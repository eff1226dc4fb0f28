package rpc

import (
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoimpl"

	errorsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/errors/v1"
)

// reason is a value of the enum faceoff.errors.v1.Reason with what its options say.
type reason struct {
	name   string
	code   codes.Code
	number int32
}

// reasons is the closed list, by name.
var reasons = func() map[string]reason {
	values := errorsv1.Reason(0).Descriptor().Values()
	table := make(map[string]reason, values.Len())
	for i := range values.Len() {
		v := values.Get(i)
		name := string(v.Name())
		table[name] = reason{
			name:   name,
			code:   codes.Code(option(v, errorsv1.E_GrpcCode)), // a test checks the range
			number: option(v, errorsv1.E_ReferenceNumber),
		}
	}
	return table
}()

func option(v protoreflect.EnumValueDescriptor, which *protoimpl.ExtensionInfo) int32 {
	return proto.GetExtension(v.Options(), which).(int32)
}

// ReferenceNumber returns the reference product's number of a reason, 0 if it has none.
func ReferenceNumber(name string) int32 {
	return reasons[name].number
}

// HTTPStatus returns the HTTP status that stands for a gRPC code wherever a door speaks in the manner of HTTP.
func HTTPStatus(c codes.Code) int {
	if c == codes.Canceled { // by ourselves: a caller that has gone hears nothing
		return http.StatusGatewayTimeout
	}
	return runtime.HTTPStatusFromCode(c)
}
