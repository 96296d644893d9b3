name = "admit-example"
