package main

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// rawCodec passes messages through: these few are written and read here.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	message, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("cannot write a %T", v)
	}
	return *message, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("cannot read into a %T", v)
	}
	*message = append([]byte(nil), data...)
	return nil
}

func appendBytes(to []byte, field protowire.Number, value []byte) []byte {
	if len(value) == 0 {
		return to
	}
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), value)
}

func istioRequest(csr []byte, seconds int64, fields map[string]string) ([]byte, error) {
	values := map[string]any{}
	for name, value := range fields {
		values[name] = value
	}
	metadata, err := structpb.NewStruct(values)
	if err != nil {
		return nil, err
	}
	encoded, err := proto.Marshal(metadata)
	if err != nil {
		return nil, err
	}
	request := appendBytes(nil, 1, csr)
	request = protowire.AppendTag(request, 3, protowire.VarintType)
	request = protowire.AppendVarint(request, uint64(seconds))
	return appendBytes(request, 4, encoded), nil
}

func readIstioResponse(answer []byte) ([]string, error) {
	var chain []string
	err := eachField(answer, func(field protowire.Number, value []byte) error {
		if field == 1 {
			chain = append(chain, string(value))
		}
		return nil
	})
	return chain, err
}

func certifyRequest(identity string, token, csr []byte) []byte {
	return appendBytes(appendBytes(appendBytes(nil, 1, []byte(identity)), 2, token), 3, csr)
}

func readCertifyResponse(answer []byte) (leaf []byte, intermediates [][]byte, until time.Time, err error) {
	err = eachField(answer, func(field protowire.Number, value []byte) error {
		switch field {
		case 1:
			leaf = value
		case 2:
			intermediates = append(intermediates, value)
		case 3:
			seconds, err := timestampSeconds(value)
			until = time.Unix(seconds, 0).UTC()
			return err
		}
		return nil
	})
	if err == nil && leaf == nil {
		err = errors.New("no leaf certificate")
	}
	return leaf, intermediates, until, err
}

func timestampSeconds(message []byte) (int64, error) {
	field, kind, n := protowire.ConsumeTag(message)
	if n < 0 || field != 1 || kind != protowire.VarintType {
		return 0, errors.New("no time")
	}
	seconds, m := protowire.ConsumeVarint(message[n:])
	if m < 0 {
		return 0, protowire.ParseError(m)
	}
	return int64(seconds), nil
}

// eachField tells every field with a length; none of the answers has others.
func eachField(message []byte, tell func(protowire.Number, []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if kind != protowire.BytesType {
			return fmt.Errorf("field %d has another type", field)
		}
		value, m := protowire.ConsumeBytes(message)
		if m < 0 {
			return protowire.ParseError(m)
		}
		if err := tell(field, value); err != nil {
			return err
		}
		message = message[m:]
	}
	return nil
}
