package main

import "slices"

// describeCalls says what the gateway adds to each call: the token, the errors, the command id, its own calls.
func describeCalls(doc object) {
	doc["info"] = object{
		"title":   "Faceoff",
		"version": "1.0.0",
		"summary": "Cross-room co-hosting and PK battles for live streaming.",
		"description": "Every call takes an access token (`Authorization: Bearer`). Bodies are JSON; a field that a call does not know " +
			"is refused. Answers hold every field but unset objects. 64-bit integers are strings in answers; a request may give " +
			"a number instead. Errors are `application/problem+json` (RFC 9457); their `reason` is for programs.",
		"license": object{"name": "Apache 2.0", "identifier": "Apache-2.0"},
	}
	doc["servers"] = []any{object{"url": "/"}}
	doc["security"] = []any{object{"bearer": []any{}}}

	components := child(doc, "components")
	delete(child(components, "schemas"), "google.rpc.Status")
	child(components, "schemas")["Problem"] = problem()
	components["securitySchemes"] = object{"bearer": object{
		"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
		"description": "JWT, HS256: `iss` an API key, `sub` the user, `exp` at most 24 h ahead, `live` {room, role}.",
	}}
	components["responses"] = object{"Problem": object{
		"description": "The call was refused, or its outcome is not known (503, 504: repeat it with the same ids).",
		"headers": object{"Retry-After": object{
			"description": "With 429 and 503: after how many seconds the call may be repeated; absent if that is not known.",
			"schema":      object{"type": "integer", "minimum": 1},
		}},
		"content": object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}},
	}}
	components["parameters"] = object{"IdempotencyKey": object{
		"name": "Idempotency-Key", "in": "header",
		"description": "Id of the command, made by the caller. A repeat with the same id within 10 minutes gets the first answer; " +
			"a repeat with another payload is refused with PAYLOAD_MISMATCH.",
		"schema": object{"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"},
	}, "Session": object{
		"name": "Faceoff-Session", "in": "header",
		"description": "Session of the host that calls, as in its heartbeats. An older one than the current is refused with SUPERSEDED.",
		"schema":      object{"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"},
	}}

	used := map[any]bool{}
	_ = operations(doc, func(_, method string, operation object) error {
		for _, tag := range operation["tags"].([]any) {
			used[tag] = true
		}
		child(operation, "responses")["default"] = object{"$ref": "#/components/responses/Problem"}
		if method != "get" {
			parameters, _ := operation["parameters"].([]any)
			parameters = append(parameters, object{"$ref": "#/components/parameters/IdempotencyKey"})
			if tags := operation["tags"].([]any); slices.Contains(tags, any("CohostService")) || slices.Contains(tags, any("BattleService")) {
				parameters = append(parameters, object{"$ref": "#/components/parameters/Session"})
			}
			operation["parameters"] = parameters
		}
		return nil
	})
	tags, _ := doc["tags"].([]any)
	doc["tags"] = slices.DeleteFunc(tags, func(tag any) bool { return !used[tag.(object)["name"]] })
	describeProbes(doc)
}

func problem() object {
	return object{
		"type":        "object",
		"description": "Problem is an error as of RFC 9457.",
		"required":    []any{"type", "title", "status", "detail", "reason", "code", "field_violations"},
		"properties": object{
			"type":   object{"type": "string", "format": "uri-reference", "description": "One per reason; `about:blank` when the HTTP status says it all."},
			"title":  object{"type": "string", "description": "The reason in words."},
			"status": object{"type": "integer", "description": "The HTTP status."},
			"detail": object{"type": "string", "description": "A sentence for people about this very case."},
			"reason": object{"type": "string", "description": "Name of a faceoff.errors.v1.Reason."},
			"code":   object{"type": "integer", "description": "The reference product's number of the reason; 0 if it has none."},
			"field_violations": object{
				"type":        "array",
				"description": "The fields that are malformed.",
				"items": object{
					"type":     "object",
					"required": []any{"field", "description"},
					"properties": object{
						"field":       object{"type": "string", "description": "Path of the field, such as `gifts[3].unit_value`."},
						"description": object{"type": "string"},
					},
				},
			},
		},
	}
}

// describeProbes adds the calls that no service stands behind.
func describeProbes(doc object) {
	answer := func(description string, schema object) object {
		return object{"description": description, "content": object{"application/json": object{"schema": schema}}}
	}
	health := object{
		"type":     "object",
		"required": []any{"status"},
		"properties": object{
			"status": object{"type": "string"},
			"parts": object{
				"type": "object", "description": "By service: its gRPC health status, or UNREACHABLE.",
				"additionalProperties": object{"type": "string"},
			},
		},
	}
	probe := func(id, summary string, responses object) object {
		return object{"get": object{
			"tags": []any{"Gateway"}, "operationId": id, "summary": summary,
			"security": []any{}, "responses": responses,
		}}
	}
	paths := child(doc, "paths")
	paths["/healthz"] = probe("Gateway_Healthz", "The gateway's process is alive.",
		object{"200": answer("It is.", health)})
	paths["/readyz"] = probe("Gateway_Readyz", "All services behind the gateway serve.",
		object{"200": answer("They do.", health), "503": answer("At least one does not.", health)})
	paths["/openapi.json"] = probe("Gateway_OpenAPI", "This document.",
		object{"200": answer("The document, OpenAPI 3.1.", object{"type": "object"})})
	tags, _ := doc["tags"].([]any)
	doc["tags"] = append(tags, object{"name": "Gateway", "description": "What the gateway answers by itself."})
}
