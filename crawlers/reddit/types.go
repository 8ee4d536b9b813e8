package reddit

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// An answer is any JSON answer, decoded in one pass. Fields whose type is not
// the expected one ("replies" is "" where there are none) stay zero.
type answer struct {
	Kind string `json:"kind"`
	Data struct {
		After    string  `json:"after"`
		Children []thing `json:"children"`
	} `json:"data"`
	JSON *struct {
		Errors [][]any `json:"errors"`
		Data   struct {
			Things []thing `json:"things"`
		} `json:"data"`
	} `json:"json"`

	// Refusals.
	Message     string `json:"message"`
	Error       any    `json:"error"`
	Reason      string `json:"reason"`
	Explanation string `json:"explanation"`

	// oEmbed.
	ProviderName string `json:"provider_name"`
	Title        string `json:"title"`
	AuthorName   string `json:"author_name"`
	HTML         string `json:"html"`
	ThumbnailURL string `json:"thumbnail_url"`
}

// A thing is one object of the API: kind t1 comment, t2 account, t3 post, t5
// subreddit, "more" comments that are not here.
type thing struct {
	Kind string `json:"kind"`
	Data item   `json:"data"`
}

// An item is the data of any thing.
type item struct {
	ID             string  `json:"id"`
	Name           string  `json:"name"`
	Author         string  `json:"author"`
	AuthorFullname string  `json:"author_fullname"`
	AuthorID       string  `json:"author_id"`
	Subreddit      string  `json:"subreddit"`
	SubredditID    string  `json:"subreddit_id"`
	Permalink      string  `json:"permalink"`
	CreatedUTC     any     `json:"created_utc"`
	Edited         any     `json:"edited"`
	Score          *number `json:"score"`
	ScoreHidden    bool    `json:"score_hidden"`
	HideScore      bool    `json:"hide_score"`
	Awards         *number `json:"total_awards_received"`
	Archived       bool    `json:"archived"`
	Locked         bool    `json:"locked"`
	Stickied       bool    `json:"stickied"`
	Over18         bool    `json:"over_18"`
	Quarantine     bool    `json:"quarantine"`
	Distinguished  string  `json:"distinguished"`

	MediaMetadata     map[string]mediaItem `json:"media_metadata"`
	RemovedByCategory string               `json:"removed_by_category"`

	// t3
	Title               string   `json:"title"`
	Selftext            string   `json:"selftext"`
	SelftextHTML        string   `json:"selftext_html"`
	URL                 string   `json:"url"`
	URLOverriddenByDest string   `json:"url_overridden_by_dest"`
	Domain              string   `json:"domain"`
	IsSelf              bool     `json:"is_self"`
	IsVideo             bool     `json:"is_video"`
	IsGallery           bool     `json:"is_gallery"`
	Spoiler             bool     `json:"spoiler"`
	Flair               string   `json:"link_flair_text"`
	UpvoteRatio         *float64 `json:"upvote_ratio"`
	NumComments         *number  `json:"num_comments"`
	NumCrossposts       *number  `json:"num_crossposts"`
	NumDuplicates       *number  `json:"num_duplicates"`
	PostHint            string   `json:"post_hint"`
	Thumbnail           string   `json:"thumbnail"`
	CrosspostParent     string   `json:"crosspost_parent"`
	CrosspostParentList []item   `json:"crosspost_parent_list"`
	GalleryData         *struct {
		Items []galleryItem `json:"items"`
	} `json:"gallery_data"`
	Preview *struct {
		Images []struct {
			Source struct {
				URL    string `json:"url"`
				Width  int    `json:"width"`
				Height int    `json:"height"`
			} `json:"source"`
		} `json:"images"`
	} `json:"preview"`
	Media       *embedded `json:"media"`
	SecureMedia *embedded `json:"secure_media"`
	Poll        *pollData `json:"poll_data"`

	// t1
	Body        string   `json:"body"`
	BodyHTML    string   `json:"body_html"`
	LinkID      string   `json:"link_id"`
	LinkAuthor  string   `json:"link_author"`
	ParentID    string   `json:"parent_id"`
	IsSubmitter bool     `json:"is_submitter"`
	Replies     *listing `json:"replies"`

	// more
	Children []string `json:"children"`
	Count    int      `json:"count"`

	profile
}

type listing struct {
	Data struct {
		Children []thing `json:"children"`
	} `json:"data"`
}

// A profile is what t2 and t5 have beside the common fields.
type profile struct {
	DisplayName       string  `json:"display_name"`
	PublicDescription string  `json:"public_description"`
	Subscribers       *number `json:"subscribers"`
	ActiveUsers       *number `json:"active_user_count"`
	LinkKarma         *number `json:"link_karma"`
	CommentKarma      *number `json:"comment_karma"`
	TotalKarma        *number `json:"total_karma"`
	IconImg           string  `json:"icon_img"`
	SnoovatarImg      string  `json:"snoovatar_img"`
	CommunityIcon     string  `json:"community_icon"`
	Lang              string  `json:"lang"`
	SubredditType     string  `json:"subreddit_type"`
	Over18Sub         bool    `json:"over18"`
	IsSuspended       bool    `json:"is_suspended"`
}

type galleryItem struct {
	MediaID     string `json:"media_id"`
	Caption     string `json:"caption"`
	OutboundURL string `json:"outbound_url"`
}

type mediaItem struct {
	Status string `json:"status"` // valid, failed, unprocessed
	Type   string `json:"e"`      // Image, AnimatedImage, RedditVideo
	Mime   string `json:"m"`
	Source struct {
		Width  int    `json:"x"`
		Height int    `json:"y"`
		URL    string `json:"u"`
		GIF    string `json:"gif"`
		MP4    string `json:"mp4"`
	} `json:"s"`
	DashURL string `json:"dashUrl"`
	HLSURL  string `json:"hlsUrl"`
	Width   int    `json:"x"`
	Height  int    `json:"y"`
}

type embedded struct {
	RedditVideo *struct {
		FallbackURL string  `json:"fallback_url"`
		DashURL     string  `json:"dash_url"`
		HLSURL      string  `json:"hls_url"`
		Duration    float64 `json:"duration"`
		Width       int     `json:"width"`
		Height      int     `json:"height"`
	} `json:"reddit_video"`
}

type pollData struct {
	Options []struct {
		Text      string  `json:"text"`
		VoteCount *number `json:"vote_count"`
	} `json:"options"`
	Total *number `json:"total_vote_count"`
}

// A number is a whole number that old dumps also write as a string.
type number int64

// UnmarshalJSON reads 12, 12.0 and "12". Anything else is an error of type.
func (n *number) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		*n = number(i)
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return &json.UnmarshalTypeError{Value: "number " + s}
	}
	*n = number(f)
	return nil
}

// decode reads JSON into v. A field of an unexpected type is left zero: only
// broken JSON is an error.
func decode(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return nil
	}
	return err
}

// moment reads seconds since 1970, as a number or a string of one.
func moment(v any) post.Time {
	var f float64
	switch x := v.(type) {
	case float64:
		f = x
	case string:
		var err error
		if f, err = strconv.ParseFloat(x, 64); err != nil {
			return post.Time{}
		}
	default:
		return post.Time{}
	}
	if math.IsNaN(f) || f <= 0 || f > 253402300799 { // the end of year 9999
		return post.Time{}
	}
	sec := math.Floor(f)
	return post.Exact(time.Unix(int64(sec), int64(math.Round((f-sec)*1e3))*1e6), "")
}
