package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// show prints m as JSON, or as a table.
func (t target) show(out io.Writer, m proto.Message, header string, rows ...[]any) error {
	if !t.JSON {
		return table(out, header, rows...)
	}
	data, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return err
	}
	var pretty bytes.Buffer // protojson varies its blanks
	if err := json.Indent(&pretty, data, "", "  "); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, pretty.String())
	return err
}

// table prints rows under a header of words that commas separate.
func table(out io.Writer, header string, rows ...[]any) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.ReplaceAll(header, ",", "\t"))
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				_, _ = fmt.Fprint(w, "\t")
			}
			_, _ = fmt.Fprint(w, text(cell))
		}
		_, _ = fmt.Fprintln(w)
	}
	return w.Flush()
}

func text(cell any) string {
	s := fmt.Sprint(cell)
	if at, ok := cell.(*timestamppb.Timestamp); ok {
		s = ""
		if at != nil {
			s = at.AsTime().Local().Format(time.DateTime)
		}
	}
	if s == "" {
		return "-"
	}
	return s
}
