// Package s3 keeps objects in a bucket of an S3-compatible service: the object
// with key a/b/c is PREFIX/a/b/c of the bucket, with nothing added.
//
// # How an object is stored
//
// The body is read twice: once for its SHA-256, once to send it. Below 5 MiB it
// is one PutObject, which the server checks against the SHA-256 of the whole;
// from there on a multipart upload, whose parts the server checks one by one.
// Both carry If-None-Match: *, so that the service itself refuses to replace an
// object; one that ignores that header is not fit to keep an archive. The
// SHA-256 of the whole stands in the object's metadata as
// x-amz-meta-refrain-sha256, and Get of a whole object compares with it.
//
// With Options.Retain each object is stored under object lock in COMPLIANCE
// mode: nobody, not even the owner of the account, can remove or shorten it
// before its time. The bucket must have been made with object lock. A locked
// object can still get a delete marker, which hides it from listings; its
// version stays and can be read.
//
// # Memory
//
// A small object needs none beyond the body's own. Multipart uploads of one
// Store run one after the other, each with at most three parts of 5 MiB in
// memory (larger parts above 48 GiB, since S3 allows 10,000 of them).
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	tmtypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/refrain-archive/refrain/archive/blob"
)

const (
	partSize    = 5 << 20 // the least that S3 allows
	concurrency = 2       // parts sent at once; one more is being read
	maxParts    = 10_000
	sumField    = "refrain-sha256" // user metadata
	chunk       = 256 << 10
)

// Options is what a Store is built from.
type Options struct {
	Bucket   string // required; it must exist
	Prefix   string // put before each key; empty, or a path without slashes at its ends
	Endpoint string // "https://s3.example.org"; empty is Amazon's for Region
	Region   string // empty: from the environment, or us-east-1 where Endpoint is given
	// PathStyle puts the bucket in the path of the URL and not in its host, as
	// most services other than Amazon's want it.
	PathStyle bool
	// AccessKey and SecretKey; both empty: found as the AWS tools find them
	// (environment, shared files, the machine's role). SessionToken goes with
	// temporary keys.
	AccessKey, SecretKey, SessionToken string
	// Retain is how long each object is locked in COMPLIANCE mode. Zero: no lock.
	Retain time.Duration
	// Client makes the requests; nil is the SDK's own, with its time limits.
	Client *http.Client
	// Attempts is how often a request is tried before its failure is an error.
	// Zero is 5.
	Attempts int
	// Now is the clock behind Retain; nil is time.Now.
	Now func() time.Time
}

// Store is a bucket of objects.
type Store struct {
	opts    Options
	client  *s3.Client
	manager *transfermanager.Client
	prefix  string // "" or ending in a slash
	uploads chan struct{}
}

var _ blob.Store = (*Store)(nil)

// New gives the store in a bucket. It asks nothing of the service: Check does.
func New(ctx context.Context, opts Options) (*Store, error) {
	if opts.Bucket == "" {
		return nil, errors.New("S3 archive: no bucket is named")
	}
	if opts.Prefix != "" {
		if err := blob.CheckKey(opts.Prefix); err != nil {
			return nil, fmt.Errorf("S3 archive: prefix: %w", err)
		}
	}
	if (opts.AccessKey == "") != (opts.SecretKey == "") {
		return nil, errors.New("S3 archive: access key and secret key must be given both, or neither")
	}
	if opts.Retain < 0 {
		return nil, fmt.Errorf("S3 archive: retention of %s", opts.Retain)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Attempts <= 0 {
		opts.Attempts = 5
	}
	load := []func(*config.LoadOptions) error{config.WithRetryMaxAttempts(opts.Attempts)}
	if opts.Region != "" {
		load = append(load, config.WithRegion(opts.Region))
	} else if opts.Endpoint != "" {
		load = append(load, config.WithDefaultRegion("us-east-1"))
	}
	if opts.AccessKey != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(opts.AccessKey, opts.SecretKey, opts.SessionToken)))
	}
	if opts.Client != nil {
		load = append(load, config.WithHTTPClient(opts.Client))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("S3 archive: read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("S3 archive: no region is configured")
	}
	s := &Store{opts: opts, uploads: make(chan struct{}, 1)}
	s.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = opts.PathStyle
		if opts.Endpoint != "" {
			o.BaseEndpoint = &opts.Endpoint
		}
		// Each request names its own checksum; whole objects are compared with
		// our own SHA-256 when they are read.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	s.manager = transfermanager.New(s.client, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold = partSize, partSize
		o.Concurrency = concurrency
		o.ChecksumAlgorithm = tmtypes.ChecksumAlgorithmSha256
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.FailTimeout = 30 * time.Second
	})
	if opts.Prefix != "" {
		s.prefix = opts.Prefix + "/"
	}
	return s, nil
}

// String is s3://BUCKET/PREFIX.
func (s *Store) String() string { return "s3://" + s.opts.Bucket + "/" + s.opts.Prefix }

// Check asks the service for the bucket, and for object lock where Retain needs
// it: an error says what to mend before anything is stored.
func (s *Store) Check(ctx context.Context) error {
	if _, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.opts.Bucket}); err != nil {
		// HEAD answers carry no error document: ask again in a way that does.
		if _, lerr := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.opts.Bucket, MaxKeys: aws.Int32(1)}); lerr != nil {
			err = lerr
		}
		return s.fail("check", "", err)
	}
	if s.opts.Retain == 0 {
		return nil
	}
	lock, err := s.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &s.opts.Bucket})
	if err != nil {
		return s.fail("check", "", err)
	}
	if lock.ObjectLockConfiguration == nil || lock.ObjectLockConfiguration.ObjectLockEnabled != types.ObjectLockEnabledEnabled {
		return s.fail("check", "", errNoLock)
	}
	return nil
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, body io.ReaderAt, size int64, opts blob.PutOptions) (blob.Info, error) {
	info, err := s.put(ctx, key, body, size, opts)
	if err != nil {
		return blob.Info{}, s.fail("put", key, err)
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, body io.ReaderAt, size int64, opts blob.PutOptions) (blob.Info, error) {
	if err := blob.CheckKey(key); err != nil {
		return blob.Info{}, err
	}
	if size < 0 {
		return blob.Info{}, fmt.Errorf("a size of %d bytes", size)
	}
	sum, err := hashOf(ctx, body, size)
	if err != nil {
		return blob.Info{}, err
	}
	want := hex.EncodeToString(sum)
	if opts.SHA256 != "" && opts.SHA256 != want {
		return blob.Info{}, fmt.Errorf("%w: %s, not %s", blob.ErrDigest, want, opts.SHA256)
	}
	// A big object is worth the question whether it is there before it is sent.
	if size >= partSize {
		if _, err := s.stat(ctx, key); err == nil {
			return s.same(ctx, key, want, size)
		} else if !errors.Is(err, blob.ErrNotFound) {
			return blob.Info{}, err
		}
	}
	for attempt := 1; ; attempt++ {
		if size < partSize {
			err = s.putSmall(ctx, key, body, size, sum, opts)
		} else {
			err = s.putBig(ctx, key, body, size, want, opts)
		}
		switch {
		case err == nil:
			info, err := s.stat(ctx, key)
			if err == nil && info.Size != size {
				err = fmt.Errorf("the service holds %d bytes of %d that were sent", info.Size, size)
			}
			info.SHA256 = want
			return info, err
		case taken(err):
			return s.same(ctx, key, want, size)
		case isConflict(err) && attempt < s.opts.Attempts:
			// Another writer of the same key was at work: look again.
			if err := sleep(ctx, time.Duration(rand.Int64N(int64(100*time.Millisecond<<attempt)))); err != nil {
				return blob.Info{}, err
			}
		default:
			return blob.Info{}, err
		}
	}
}

func (s *Store) putSmall(ctx context.Context, key string, body io.ReaderAt, size int64, sum []byte, opts blob.PutOptions) error {
	in := &s3.PutObjectInput{
		Bucket: &s.opts.Bucket, Key: aws.String(s.prefix + key),
		Body: io.NewSectionReader(body, 0, size), ContentLength: &size, ContentType: contentType(opts),
		IfNoneMatch: aws.String("*"), ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum)),
		Metadata: map[string]string{sumField: hex.EncodeToString(sum)},
	}
	if s.opts.Retain > 0 {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeCompliance, s.until()
	}
	_, err := s.client.PutObject(ctx, in)
	return err
}

func (s *Store) putBig(ctx context.Context, key string, body io.ReaderAt, size int64, sum string, opts blob.PutOptions) error {
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// What is sent is compared with what was read for the digest: a file that
	// changes under us must not become an object.
	sent := &hashing{r: io.NewSectionReader(body, 0, size), hash: sha256.New(), want: sum, left: size}
	in := &transfermanager.UploadObjectInput{
		Bucket: &s.opts.Bucket, Key: aws.String(s.prefix + key),
		Body: sent, ContentType: contentType(opts),
		IfNoneMatch: aws.String("*"), ChecksumAlgorithm: tmtypes.ChecksumAlgorithmSha256,
		Metadata: map[string]string{sumField: sum},
	}
	if s.opts.Retain > 0 {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = tmtypes.ObjectLockModeCompliance, s.until()
	}
	_, err := s.manager.UploadObject(ctx, in, func(o *transfermanager.Options) {
		// The manager grows parts only for bodies whose size it can see.
		o.PartSizeBytes = max(partSize, size/(maxParts-1)+1)
	})
	return err
}

func contentType(opts blob.PutOptions) *string {
	if opts.ContentType == "" {
		return aws.String("application/octet-stream")
	}
	return &opts.ContentType
}

func (s *Store) until() *time.Time {
	until := s.opts.Now().Add(s.opts.Retain).UTC().Truncate(time.Second)
	return &until
}

// hashing gives an error in place of the end when the bytes that went through
// are not those of want.
type hashing struct {
	r    io.Reader
	hash hash.Hash
	want string
	left int64 // bytes that must still come
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.hash.Write(p[:n])
	h.left -= int64(n)
	if err == io.EOF || h.left == 0 {
		if got := hex.EncodeToString(h.hash.Sum(nil)); h.left != 0 || got != h.want {
			return n, fmt.Errorf("%w: the body changed while it was sent, or came back otherwise: %s, not %s", blob.ErrDigest, got, h.want)
		}
	}
	return n, err
}

func hashOf(ctx context.Context, body io.ReaderAt, size int64) ([]byte, error) {
	sum := sha256.New()
	buf := make([]byte, min(chunk, max(size, 1)))
	for off := int64(0); off < size; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n, err := body.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("read the body at %d of %d bytes: %w", off, size, err)
		}
		sum.Write(buf[:n])
		off += int64(n)
	}
	return sum.Sum(nil), nil
}

// same ends a Put whose key is taken: by the same bytes or by others.
func (s *Store) same(ctx context.Context, key, want string, size int64) (blob.Info, error) {
	info, err := s.stat(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return blob.Info{}, errors.New("the service says that the key is taken, and shows nothing under it: it may have lost track of it in a crash; mend the service's storage, the local copy is kept until then")
	}
	if err != nil {
		return blob.Info{}, err
	}
	if info.Size != size {
		return blob.Info{}, blob.ErrExists
	}
	if info.SHA256 == "" { // stored by another tool: its bytes tell
		out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.opts.Bucket, Key: aws.String(s.prefix + key)})
		if err != nil {
			return blob.Info{}, err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, out.Body)
		if err = errors.Join(err, out.Body.Close()); err != nil {
			return blob.Info{}, err
		}
		info.SHA256 = hex.EncodeToString(sum.Sum(nil))
	}
	if info.SHA256 != want {
		return blob.Info{}, blob.ErrExists
	}
	return info, nil
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	r, err := s.get(ctx, key, offset, length)
	if err != nil {
		return nil, s.fail("get", key, err)
	}
	return r, nil
}

func (s *Store) get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, err
	}
	if length == 0 || offset < 0 && length >= 0 {
		// HTTP has no range of no bytes, and none that begins from the end and
		// ends elsewhere: the size tells.
		info, err := s.stat(ctx, key)
		if err != nil {
			return nil, err
		}
		if offset < 0 {
			offset = max(0, info.Size+offset)
		}
		if offset > info.Size {
			return nil, fmt.Errorf("%w: at %d of %d bytes", blob.ErrRange, offset, info.Size)
		}
		if length = min(length, info.Size-offset); length == 0 {
			return io.NopCloser(strings.NewReader("")), nil
		}
	}
	in := &s3.GetObjectInput{Bucket: &s.opts.Bucket, Key: aws.String(s.prefix + key)}
	whole := offset == 0 && length < 0
	switch {
	case whole:
	case offset < 0:
		in.Range = aws.String("bytes=" + strconv.FormatInt(offset, 10))
	case length < 0 || length > 1<<62-offset:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	default:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	}
	out, err := s.client.GetObject(ctx, in)
	if code(err) == "InvalidRange" || status(err) == http.StatusRequestedRangeNotSatisfiable {
		info, err := s.stat(ctx, key)
		if err != nil {
			return nil, err
		}
		if offset > info.Size {
			return nil, fmt.Errorf("%w: at %d of %d bytes", blob.ErrRange, offset, info.Size)
		}
		return io.NopCloser(strings.NewReader("")), nil
	}
	if err != nil {
		return nil, missing(err)
	}
	if sum := out.Metadata[sumField]; whole && sum != "" {
		return &checked{&hashing{r: out.Body, hash: sha256.New(), want: sum, left: aws.ToInt64(out.ContentLength)}, out.Body}, nil
	}
	return out.Body, nil
}

type checked struct {
	*hashing
	io.Closer
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	info, err := s.stat(ctx, key)
	if err != nil {
		return blob.Info{}, s.fail("stat", key, err)
	}
	return info, nil
}

func (s *Store) stat(ctx context.Context, key string) (blob.Info, error) {
	if err := blob.CheckKey(key); err != nil {
		return blob.Info{}, err
	}
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.opts.Bucket, Key: aws.String(s.prefix + key)})
	if err != nil {
		if status(err) == http.StatusNotFound {
			// A missing bucket and, with some services, a wrong key are 404 too,
			// and HEAD does not say which. "Not there" must be true.
			if _, lerr := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.opts.Bucket, MaxKeys: aws.Int32(1)}); lerr != nil {
				return blob.Info{}, lerr
			}
		}
		return blob.Info{}, missing(err)
	}
	return blob.Info{
		Key: key, Size: aws.ToInt64(out.ContentLength), SHA256: out.Metadata[sumField],
		Modified: aws.ToTime(out.LastModified).UTC(), RetainUntil: aws.ToTime(out.ObjectLockRetainUntilDate).UTC(),
	}, nil
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if err := blob.CheckPrefix(prefix); err != nil {
			yield(blob.Info{}, s.fail("list", prefix, err))
			return
		}
		in := &s3.ListObjectsV2Input{Bucket: &s.opts.Bucket, Prefix: aws.String(s.prefix + prefix)}
		if after != "" {
			in.StartAfter = aws.String(s.prefix + after)
		}
		for pages := s3.NewListObjectsV2Paginator(s.client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(blob.Info{}, s.fail("list", prefix, err))
				return
			}
			for _, object := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(object.Key), s.prefix)
				if blob.CheckKey(key) != nil {
					continue // not ours: a folder mark of a browser, another tool's file
				}
				if !yield(blob.Info{Key: key, Size: aws.ToInt64(object.Size), Modified: aws.ToTime(object.LastModified).UTC()}, nil) {
					return
				}
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
