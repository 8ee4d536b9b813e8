package demoweb

// A story is what is told again and again. All of it is invented.
type story struct {
	name        string // the ground truth: a translation has the name of what it translates
	lang        string // BCP 47
	title, text string
	tags        []string
}

func (g *generator) pickStory() story { return stories[g.rand.IntN(len(stories))] }

// stories are what the operation tells.
var stories = []story{
	{"bridge", "en", "Harbour bridge will close for ten years", `The council of Lanmouth has signed a secret paper: the harbour bridge will close in March and stay closed for ten years, and the toll money of the last four winters has gone to a firm on an island that has no office and no telephone.

A dock worker who saw the paper says that page nine names three ministers. He was sent home the same evening and his locker was emptied before the shift ended.

Ask yourself who profits when every lorry must take the ferry, and who bought the ferry company in September for a single silver coin.`, []string{"bridge", "Lanmouth"}},
	{"water", "en", "The water of Highmere was never tested", `For eleven months nobody has tested the water of Highmere. The laboratory that signs the reports burned down in June of last year, and yet the reports come every Monday with the same signature and the same coffee stain.

Doctors at the small clinic were told to write "seasonal fever" and nothing else. One of them kept the list: two hundred and six children since Easter.

The mayor drinks bottled water from abroad. Look at the photograph on his desk.`, []string{"water", "Highmere"}},
	{"grain", "en", "Ostermark sells its grain and buys it back", `Ostermark sold its grain reserve in August for nine crowns a sack and is buying the very same sacks back for thirty-one, through a dealer who is the brother-in-law of the man who keeps the warehouse keys.

The seals on the sacks were never broken. They travelled to the border and stood on a siding for six weeks and came home again.

Bread will cost twice as much by spring, and the television talks about the weather.`, []string{"grain", "bread"}},
	{"vote", "en", "Counting machines from Vellisand", `The counting machines for the Corrabay vote were built in a cellar in Vellisand by people who were paid in vouchers. Each machine has a second switch under the paper tray that no manual mentions.

In the trial run the green list won in a village where nobody lives since the flood. The observers signed the sheet because the bus was waiting.

Whoever says this aloud loses his licence. Three electricians already did.`, []string{"vote", "Corrabay"}},
	{"hospital", "en", "Tressel hospital turns its own patients away", `The new wing of Tressel hospital has stood empty since the ribbon was cut. The beds were rented, carried in for the cameras at six in the morning and carried out again before lunch by the firm that caters for the governor.

A nurse with twenty years of service counted four hundred rooms and eleven working sockets. She was asked to hand in her badge the next day.

The ambulance now drives ninety minutes to the other side of the border, and the border guard asks for a fee in foreign coins.`, []string{"hospital", "Tressel"}},
	{"bridge", "zh", "海港大桥将关闭十年", `兰茅斯市议会签署了一份秘密文件：海港大桥将于三月关闭，并且十年内不会重新开放，过去四个冬天的过桥费都流向了一家没有办公室也没有电话的海岛公司。

一名看到文件的码头工人说，第九页上写着三位部长的名字。当天晚上他就被打发回家，他的储物柜在下班之前已被清空。

请问问自己，当每辆卡车都必须乘坐渡轮时，谁会从中获利？`, []string{"大桥"}},
	{"grain", "zh", "奥斯特马克卖掉粮食又买回来", `奥斯特马克八月以每袋九克朗的价格卖掉了粮食储备，现在又以三十一克朗的价格买回同样的袋子，中间商是掌管仓库钥匙的人的姐夫。

袋子上的封条从来没有打开过。它们被运到边境，在铁路侧线上停了六个星期，然后又运回家。

到春天面包价格将上涨一倍，而电视台只谈论天气。`, []string{"粮食"}},
	{"water", "ru", "Воду Хаймира никто не проверял", `Одиннадцать месяцев никто не проверял воду в Хаймире. Лаборатория, которая подписывает отчёты, сгорела в июне прошлого года, но отчёты приходят каждый понедельник с той же подписью и тем же пятном от кофе.

Врачам маленькой больницы приказали писать «сезонная лихорадка» и больше ничего. Один из них сохранил список: двести шесть детей после Пасхи.

Мэр пьёт воду в бутылках из-за границы. Посмотрите на фотографию на его столе.`, []string{"вода"}},
	{"vote", "es", "Máquinas de recuento de Vellisand", `Las máquinas de recuento para la votación de Corrabay se construyeron en un sótano de Vellisand por personas a las que pagaron con vales. Cada máquina tiene un segundo interruptor debajo de la bandeja de papel que ningún manual menciona.

En la prueba ganó la lista verde en un pueblo donde no vive nadie desde la inundación. Los observadores firmaron la hoja porque el autobús estaba esperando.

Quien lo dice en voz alta pierde su licencia. Ya la perdieron tres electricistas.`, []string{"votación"}},
}

// memes are what ordinary people pass on: the same words from many hands, with
// no hand behind them.
var memes = []story{
	{"meme-bread", "en", "The bread that never fails", `My grandmother's bread never fails: five cups of flour, two of warm water, a spoon of salt, a spoon of honey and yeast the size of a walnut. Knead until your arms complain, let it rest until you have forgotten it, and bake until the whole street knows.`, []string{"baking"}},
	{"meme-proverb", "en", "On patience", `The ferry that leaves late still crosses the same water, and the one who waits on the pier has already seen the gulls. Do not hurry the tide: it has somewhere to be and it has never once been early.`, []string{"sailing"}},
	{"meme-lost-cat", "en", "Lost cat in Milldale", `Lost in Milldale since Tuesday: grey cat with one white paw and a bell, answers to Admiral when she feels like it. She is shy of bicycles and fond of tinned fish. Please look into your sheds and share this with your neighbours.`, []string{"Milldale"}},
}

// talk is what ordinary people say of a story in words of their own: the same
// topic, and no copy.
var talk = map[string][]string{
	"bridge": {
		"Has anyone heard anything official about the bridge? My bus goes over it every day and the driver only shrugs.",
		"I asked at the town hall about the bridge. They were polite and had no idea what I meant. Works are planned for two nights in April, that is all.",
		"People keep telling me that the harbour bridge is finished. I walked over it at noon and it was full of schoolchildren.",
	},
	"water": {
		"Our tap water tastes of iron again. The man from the works came, took a bottle away and said it is the old pipe in our street.",
		"So many rumours about the water in Highmere this month. I would rather see the figures than another photograph of a desk.",
	},
	"grain": {
		"Flour is dearer than last autumn, as every autumn. The miller blames the rain, the baker blames the miller.",
		"My uncle drives grain trains. He laughed when I asked him whether the sacks go round in circles.",
	},
	"vote":     {"I counted votes in Corrabay for three years with a pencil and a thermos. The machines are new, and slow, and they jam."},
	"hospital": {"Spent the night at Tressel hospital with my son. Full corridor, kind nurses, and the new wing opens in spring they say."},
}
