package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/refrain-archive/refrain/archive/blob"
)

var errNoLock = errors.New("the bucket has no object lock, which a retention needs: make a new bucket with object lock enabled, it cannot be added to most")

// code is the service's own word for an error, empty if it is none of the service's.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// status is the HTTP status of an error answer, 0 if none arrived.
func status(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// taken: there is an object under the key already.
func taken(err error) bool {
	return code(err) == "PreconditionFailed" || status(err) == http.StatusPreconditionFailed
}

// isConflict: two writers met, and the service asks to try again.
func isConflict(err error) bool {
	return code(err) == "ConditionalRequestConflict" || status(err) == http.StatusConflict
}

// missing gives blob.ErrNotFound for an object that is not there.
func missing(err error) error {
	switch code(err) {
	case "NoSuchKey", "NotFound":
		return blob.ErrNotFound
	}
	return err
}

// fail words an error for the person who has to mend it.
func (s *Store) fail(op, key string, err error) error {
	return &blob.Error{Op: op, Store: s.String(), Key: key, Err: s.explain(err)}
}

func (s *Store) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	say := func(format string, args ...any) error {
		return &explained{fmt.Sprintf(format, args...), err}
	}
	switch code(err) {
	case "InvalidAccessKeyId", "XAdminUserNotFound": // the second is versitygw's word
		return say("the service does not know the access key; check the key and the endpoint")
	case "SignatureDoesNotMatch":
		return say("the secret key does not belong to the access key; check both, and the region")
	case "ExpiredToken", "InvalidToken":
		return say("the session token is not valid any more; get a new one")
	case "AccessDenied", "AllAccessDisabled":
		return say("this key may not do that; it needs s3:GetObject, s3:PutObject, s3:ListBucket and, with a retention, s3:PutObjectRetention")
	case "NoSuchBucket":
		return say("the bucket %s does not exist at %s; make it first", s.opts.Bucket, s.where())
	case "RequestTimeTooSkewed":
		return say("%s; set the clock, evidence needs it too", s.skew(err))
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return say("the bucket is in another region than %s", s.client.Options().Region)
	case "NotImplemented", "MethodNotAllowed":
		return say("the service lacks something an archive needs (conditional writes, SHA-256 checksums or object lock)")
	case "ObjectLockConfigurationNotFoundError", "InvalidBucketObjectLockConfiguration", "ObjectLockConfigurationNotAllowed":
		return say("%v", errNoLock)
	case "InvalidRequest":
		if s.opts.Retain > 0 && strings.Contains(cause(err), "Lock") {
			return say("%v", errNoLock)
		}
	case "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
		return say("what arrived at the service is not what was sent; it stored nothing")
	case "QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity":
		return say("the service has no space left; nothing was stored")
	}
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrExists) || errors.Is(err, blob.ErrKey) || errors.Is(err, blob.ErrRange) || errors.Is(err, blob.ErrDigest) {
		return err
	}
	switch status(err) {
	case http.StatusForbidden:
		return say("the service refuses this key")
	case http.StatusNotFound:
		return say("the bucket %s does not exist at %s; make it first", s.opts.Bucket, s.where())
	}
	if status(err) == 0 {
		var op *smithy.OperationError
		if errors.As(err, &op) {
			return say("no answer from %s", s.where())
		}
	}
	return err
}

// skew words by how much the clocks differ, as far as the answer tells.
func (s *Store) skew(err error) string {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		if date, perr := http.ParseTime(response.Response.Header.Get("Date")); perr == nil {
			ours := s.opts.Now().UTC()
			return fmt.Sprintf("this machine's clock says %s, the service's %s", ours.Format(time.RFC3339), date.UTC().Format(time.RFC3339))
		}
	}
	return "this machine's clock differs from the service's"
}

func (s *Store) where() string {
	if s.opts.Endpoint != "" {
		return s.opts.Endpoint
	}
	return "Amazon S3, region " + s.client.Options().Region
}

// explained puts a plain sentence before the service's own words.
type explained struct {
	say string
	err error
}

func (e *explained) Error() string { return e.say + " (" + cause(e.err) + ")" }
func (e *explained) Unwrap() error { return e.err }

// cause is the innermost thing worth reading: the SDK wraps it in the names of
// its own layers.
func cause(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		if api.ErrorMessage() == "" {
			return api.ErrorCode()
		}
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	var request *smithy.OperationError
	if errors.As(err, &request) {
		inner := request.Err
		for {
			next := errors.Unwrap(inner)
			if next == nil {
				return inner.Error()
			}
			if _, ok := next.(interface{ Timeout() bool }); ok {
				return next.Error()
			}
			inner = next
		}
	}
	return err.Error()
}
