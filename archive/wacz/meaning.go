package wacz

import "github.com/refrain-archive/refrain/archive/warc"

// meanings are the codes of findings that are not warc's own. A code that is
// missing here is damage.
var meanings = map[string]struct {
	severity warc.Severity
	text     string
}{
	"not-wacz":          {warc.SeverityDamage, "Nothing of the file can be read as a WACZ. If it was cut off, its directory is lost; the WARC records in it may still be found with refrain repair after extracting."},
	"zip":               {warc.SeverityDamage, "The content of the entry is lost or was changed."},
	"name":              {warc.SeverityDamage, "The entry could overwrite other files when unpacked, or readers take different ones for the same name: what it holds cannot be relied on."},
	"local-header":      {warc.SeverityRemark, "Players that trust the directory of the ZIP alone look for the content at a wrong place."},
	"not-stored":        {warc.SeverityRemark, "Nothing is lost, but records cannot be read by their offset, so players cannot replay the file."},
	"not-a-warc":        {warc.SeverityRemark, "Players pass over the file."},
	"manifest":          {warc.SeverityDamage, "Without datapackage.json nothing says which files belong to the archive and what they must hash to."},
	"profile":           {warc.SeverityRemark, "The format wants the profile data-package; ReplayWeb.page refuses profiles that it does not know, and takes none for it."},
	"version":           {warc.SeverityRemark, "The file was not written to version 1.1.1; some validators refuse it for that."},
	"listed-twice":      {warc.SeverityDamage, "Which of the two hashes is meant cannot be told."},
	"elder-stats":       {warc.SeverityRemark, "That is how version 1.0 of the format wrote it; the hash was checked."},
	"missing":           {warc.SeverityDamage, "The file was removed, or the archive was never complete."},
	"unlisted":          {warc.SeverityDamage, "No hash and no signature covers the file: it may have been put in later."},
	"no-hash":           {warc.SeverityDamage, "Whether the file was changed cannot be told."},
	"weak-hash":         {warc.SeverityRemark, "The format wants sha256; other algorithms may be open to forgery."},
	"no-bytes":          {warc.SeverityRemark, "The hash alone says whether the file is what it was."},
	"bytes":             {warc.SeverityDamage, "The file is not the one that was listed."},
	"hash":              {warc.SeverityDamage, "The file was changed after datapackage.json was written."},
	"no-package-digest": {warc.SeverityRemark, "Nothing says whether datapackage.json itself is as it was written; the archive cannot be signed."},
	"digest":            {warc.SeverityDamage, "datapackage.json, and with it every hash in it, may have been changed."},
	"signature":         {warc.SeverityDamage, "The signature does not stand for this archive: it was made over something else, by another key, or the archive was changed after signing."},
	"signature-chain":   {warc.SeverityDamage, "The signature fits its key, but nothing shows that the key is that of the domain."},
	"signature-time":    {warc.SeverityDamage, "The signature is not from the time at which its certificate could vouch for it."},
	"signature-der":     {warc.SeverityRemark, "The signature is right but in DER; the format wants r and s as 96 plain bytes, and ReplayWeb.page shows it as invalid."},
	"signature-odd":     {warc.SeverityRemark, "The signature holds; another tool may refuse it for this."},
	"signature-tsa":     {warc.SeverityRemark, "Only the imprint and time of the time stamp are compared; that it was signed by a time-stamping authority is not checked."},
	"no-pages":          {warc.SeverityRemark, "Players show no list of pages; the records are there all the same."},
	"page":              {warc.SeverityDamage, "The page is lost from the list."},
	"page-time":         {warc.SeverityRemark, "Players may not find the capture of the page."},
	"page-id":           {warc.SeverityRemark, "Players may show one of them only."},
	"pages-header":      {warc.SeverityRemark, "Players take the first line for a header all the same, and validators refuse the list."},
	"no-warc":           {warc.SeverityDamage, "There is nothing to replay."},
	"no-index":          {warc.SeverityDamage, "Nothing in the archive can be found without making an index anew."},
	"not-an-index":      {warc.SeverityRemark, "Players pass over the file."},
	"index-line":        {warc.SeverityDamage, "The index says something else than the records: what it points at is missing, or is shown as what it is not."},
	"index-odd":         {warc.SeverityRemark, "The record is found all the same."},
	"index-lacks":       {warc.SeverityRemark, "The record is there but is not replayed, as no line of the index points at it."},
	"index-cut":         {warc.SeverityDamage, "The rest of the index is lost; what it pointed at is found only with a new index."},
	"no-idx":            {warc.SeverityRemark, "The records can be read, but ReplayWeb.page cannot look anything up in the compressed index without index.idx."},
	"idx":               {warc.SeverityDamage, "Look-ups in the compressed index miss or find something else."},
	"idx-key":           {warc.SeverityRemark, "Look-ups close to the first line of the block may miss it."},
	"idx-header":        {warc.SeverityRemark, "Players that want the header line cdxj-gzip-1.0 refuse the index."},
	"member":            {warc.SeverityDamage, "A part of the multi-WACZ cannot be relied on."},
	"member-remarks":    {warc.SeverityRemark, "See the report on that file."},
	"member-elsewhere":  {warc.SeverityRemark, "It was not checked here: check it by itself."},
}
