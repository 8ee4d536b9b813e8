window.YTD.tweets.part0 = [
 {
  "tweet": {
   "created_at": "Fri Mar 01 08:00:00 +0000 2024",
   "id": 1763474251576246200,
   "id_str": "1763474251576246273",
   "full_text": "My own &amp; first",
   "truncated": false,
   "entities": {
    "hashtags": [],
    "symbols": [],
    "user_mentions": [],
    "urls": []
   },
   "source": "<a href=\"http://twitter.com/download/iphone\" rel=\"nofollow\">Twitter for iPhone</a>",
   "in_reply_to_status_id": null,
   "in_reply_to_status_id_str": null,
   "in_reply_to_screen_name": null,
   "is_quote_status": false,
   "retweet_count": "1",
   "favorite_count": "3",
   "lang": "en"
  }
 },
 {
  "tweet": {
   "created_at": "Fri Mar 01 09:30:15 +0000 2024",
   "id": 1763496963732406200,
   "id_str": "1763496963732406273",
   "full_text": "Second",
   "truncated": false,
   "entities": {
    "hashtags": [],
    "symbols": [],
    "user_mentions": [],
    "urls": []
   },
   "source": "<a href=\"http://twitter.com/download/iphone\" rel=\"nofollow\">Twitter for iPhone</a>",
   "in_reply_to_status_id": null,
   "in_reply_to_status_id_str": null,
   "in_reply_to_screen_name": null,
   "is_quote_status": false,
   "retweet_count": 4,
   "favorite_count": 10,
   "lang": "en"
  }
 }
]
