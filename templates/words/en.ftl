### What the pages say. Short sentences and everyday words: a test holds them to grade 8.
### `es.ftl` has the same keys and the same variables.

## What an app may do with records of one kind. `$access` has a letter for each: r see, c add, u change, d delete.

verbs =
    { $access ->
       *[r] See
        [c] Add
        [u] Change
        [d] Delete
        [rc] See and add
        [ru] See and change
        [rd] See and delete
        [cu] Add and change
        [cd] Add and delete
        [ud] Change and delete
        [rcu] See, add and change
        [rcd] See, add and delete
        [rud] See, change and delete
        [cud] Add, change and delete
        [rcud] See, add, change and delete
    }
permission = { verbs } { $things }
permission-some = { verbs } some of: { $things }
detail-some = Only those that match this: { $filter }.
detail-changes = The app can change the record itself.

## Whose records.

group-patient = In this patient's record
group-user = In all the records that you may open
group-system = In the records of all patients

## Kinds of records. What clinicians call them otherwise is said to them in their own words.

type-any = the whole health record
    .detail = All that is in the record now, and all that is added later.
type-other = other records ({ $name })
type-AllergyIntolerance = allergies
    .detail = What causes a reaction, and how bad it was.
    .clinician = allergies and intolerances
type-Appointment = appointments
type-Binary = attached files
type-CarePlan = care plans
    .detail = What is planned for the care, and by whom.
type-CareTeam = the care team
    .detail = Who takes part in the care.
type-Claim = bills sent to the insurer
    .clinician = insurance claims
type-Communication = messages
type-Condition = health problems
    .detail = Health problems now and in the past.
    .clinician = conditions, problems and diagnoses
type-Consent = choices about sharing records
    .clinician = consents
type-Coverage = insurance cover
    .detail = Who pays for the care.
    .clinician = coverage
type-Device = implants and devices
type-DiagnosticReport = lab and scan reports
    .clinician = diagnostic reports
type-DocumentReference = notes and letters
    .detail = What the care team has written.
    .clinician = clinical notes and documents
type-Encounter = visits and hospital stays
    .detail = When and where care was given.
    .clinician = encounters
type-EpisodeOfCare = times of care
    .clinician = episodes of care
type-ExplanationOfBenefit = what the insurer paid
    .clinician = explanations of benefit
type-FamilyMemberHistory = family health history
type-Flag = warnings in the record
    .clinician = flags
type-Goal = health goals
type-Group = groups of patients
type-HealthcareService = what a clinic offers
    .clinician = healthcare services
type-ImagingStudy = scans and X-rays
    .clinician = imaging studies
type-Immunization = vaccines
    .detail = Which vaccines were given, and when.
    .clinician = immunizations
type-List = lists in the record
type-Location = where care is given
    .clinician = locations
type-Media = photos and recordings
    .clinician = media
type-Medication = medicines
    .clinician = medications
type-MedicationAdministration = doses of medicine given
    .clinician = medication administrations
type-MedicationDispense = medicines handed out
    .clinician = medication dispenses
type-MedicationRequest = prescribed medicines
    .detail = What was prescribed, and how to take it.
    .clinician = medication requests
type-MedicationStatement = medicines taken
    .clinician = medication statements
type-NutritionOrder = diet orders
    .clinician = nutrition orders
type-Observation = test results and measurements
    .detail = Lab results, blood pressure, weight, smoking and more.
    .clinician = observations
type-Organization = names of clinics and hospitals
    .clinician = organizations
type-Patient = name, birth date and contact details
    .detail = Also sex, address and phone.
    .clinician = patient demographics
type-Person = people linked to the record
    .clinician = persons
type-Practitioner = names of doctors and nurses
    .clinician = practitioners
type-PractitionerRole = where doctors and nurses work
    .clinician = practitioner roles
type-Procedure = treatments and operations
    .clinician = procedures
type-Provenance = where the records came from
    .clinician = provenance
type-Questionnaire = forms to fill in
    .clinician = questionnaires
type-QuestionnaireResponse = answers on forms
    .clinician = questionnaire responses
type-RelatedPerson = family and contacts
    .clinician = related persons
type-Schedule = clinic hours
    .clinician = schedules
type-ServiceRequest = orders and referrals
type-Slot = free times for a visit
    .clinician = slots
type-Specimen = samples taken for tests
    .clinician = specimens
type-Task = tasks of the care team
    .clinician = tasks

## Parts of a kind: the categories of US Core.

category-encounter-diagnosis = what was found at each visit
    .clinician = encounter diagnoses
category-problem-list-item = the problem list
    .detail = Health problems that last or come back.
    .clinician = problem list items
category-health-concern = health worries
    .clinician = health concerns
category-laboratory = lab results
    .detail = Tests of blood, urine and the like.
    .clinician = laboratory results
category-vital-signs = vital signs
    .detail = Blood pressure, heart rate, weight and height.
category-social-history = lifestyle
    .detail = Smoking, drinking, work and the like.
    .clinician = social history
category-sdoh = home, food, money and safety
    .detail = Things outside of medicine that affect health.
    .clinician = social determinants of health
category-survey = answers to health questions
    .detail = Forms about pain, mood and how the day goes.
    .clinician = surveys and assessments
category-procedure = results of other tests
    .detail = Heart tracings, hearing tests and the like.
    .clinician = clinical tests

## What comes with signing in or starting an app.

scope-openid = A number that stands for you, and when you signed in.
scope-fhirUser = Which entry in the health system is yours.
scope-profile = Your name.
scope-email = Your email address.
scope-phone = Your phone number.
scope-address = Your home address.
scope-launch = Which patient and which visit you have open.
scope-launch-patient = Which patient this is about.
scope-launch-encounter = Which visit this is about.
scope-launch-context = What else you have open: { $things }.
scope-offline_access = The app keeps this access while you are away.
scope-online_access = The app keeps this access until you sign out.
scope-__launch = Start apps here, with a patient that it names.
scope-__introspect = Ask what the access of an app is good for.

## Every page.

page-footer = Admit, the sign-in service of
page-error = Error
page-notice = Notice
page-cancel = Cancel and go back to the app
page-signed-in-as = Signed in as
page-switch-user = Not you? Switch user
page-sign-out = Sign out
page-made-by = Made by
page-own-record = Your own record
page-whose-record = Whose record
page-what-it-may-do = What it may do

## A patient, and a list of them. What was searched for stands behind `patients-for`.

patient-heading = Patient
patient-name = Name
patient-birth-date = Birth date
patient-age = Age
patient-sex = Sex
patient-mrn = MRN
patient-female = female
patient-male = male
patient-other = other
patient-not-known = not known
patient-years = { $count } y
patient-months = { $count } mo
patient-days = { $count } d
patients-search = Search for a patient
patients-find = Search
patients-clear = Clear the search
patients-count =
    { $count ->
        [one] 1 patient
       *[other] { $count } patients
    }
patients-for = for
patients-more = More people match: narrow the search.

## The consent page. An app's name stands before `consent-asks`, names behind the words that end in "by" and "to".

consent-asks = asks for access
consent-back-to = You go back to
consent-verified-by = Verified by
consent-not-verified-by = Not verified by
consent-careful = Allow access only if you know this app and meant to open it.
consent-emergency = Emergency access, outside of your list.
consent-emergency-reason = Your reason:
consent-group-own = In your own record
consent-how-long = How long
consent-offline = Keep this access while you are away
consent-offline-detail = It ends { $days } days after the app last used it, when you remove the app, or when the hospital ends it.
consent-offline-capped = It ends in { $days } days, when you remove the app, or when the hospital ends it.
consent-offline-both = It ends { $days } days after the app last used it, and in { $most } days at the latest. It also ends when you remove the app, or when the hospital ends it.
consent-online = The app keeps this access until you sign out here, or until you have been away for a while.
consent-brief = This access ends ten minutes after you allow it. The app has to ask you again after that.
consent-brief-else = If not, this access ends ten minutes after you allow it.
consent-remembered = Your answer is kept for { $days } days. Until then, you are asked again only if the app wants more.
consent-take-back = You can take it back at any time:
consent-asked-before = You have answered this app before. Now it asks again.
consent-untick = Untick what you do not want to allow.
consent-new = New
consent-how-parts = Untick this to choose parts of it.
consent-parts = Or only parts of it
consent-technical = Technical names of these permissions
consent-always = Always shared
consent-always-why = This comes with signing in and cannot be left out.
consent-about = About the app
consent-attested = The maker has promised to keep the rules of a code of conduct for health apps.
consent-not-attested = The maker has not promised to keep the rules of a code of conduct for health apps.
consent-attested-unknown = The maker has not said if it keeps the rules of a code of conduct for health apps.
consent-website = Its web site
consent-policy = What happens to your data
consent-terms = Terms of use
consent-of = of
consent-selected = selected
consent-allow = Allow access
consent-deny = Deny
consent-tick-something = Tick at least one of the boxes, or press Deny.
consent-whole-and-parts = You ticked the whole of something and parts of it as well. Here the whole is ticked. Untick it to allow parts only.
consent-too-many = That is more than an app can be given one by one. Tick fewer boxes, or the whole.

## The page of a person's apps. An app's name stands before `apps-removed`.

apps-title = Your apps
apps-lead = These apps can open health records because you let them. You can take that back at any time.
apps-removed = was removed. It cannot get in again without asking you. What it has open now closes within ten minutes.
apps-none = No app has access at the moment.
apps-since = Allowed since
apps-last-used = Last used
apps-not-used = Not at the moment
apps-when = When it can look
apps-offline = Also while you are away
apps-online = While you are signed in
apps-brief = While you use it
apps-ends = Ends if not used
apps-remembered = Until it ends, it may come back without asking you again.
apps-closed-record = A record that cannot be shown now
apps-remove = Remove access
apps-remove-what = The app can then look into this record no more. What it has copied stays with it: ask its maker to delete that.
apps-remove-yes = Yes, remove access

## The sign-in page. An app's name, or one of the two places, stands behind `login-to`.

login-title = Sign in
login-to = Sign in to continue to
login-to-launch-pad = the launch pad
login-to-account = your apps
login-username = Username
login-password = Password
login-too-long = That is too long to be a user name and a password.
login-wrong = The user name or the password is not right, or there were too many tries. Wait a few seconds and try again.
login-for-another = The record system opened this app for another user than the one who is signed in here. Sign in as the same user as there.
login-nothing = Nothing is waiting for you here
login-nothing-what = Open the app that you want to use. It will bring you here to sign in.

## The choice of a patient. An app's name stands behind `picker-opens-in`.

picker-title = Choose a patient
picker-opens-in = The record you pick opens in
picker-nobody = There are no patients that you may open. Ask your administrator to put you on a care team.
picker-no-match = None of your patients matches. Try the beginning of a name, a birth date such as 1984-03-09, or an MRN.
picker-recent = Opened last
picker-all = All of your patients
picker-emergency = Emergency: open a patient outside of your list

## Emergency access. An app's name stands behind `emergency-lead`, the reason behind `emergency-compare`.

emergency-title = Emergency access
emergency-lead = Open one patient outside of your list in
emergency-audited = Your name, the time and your reason go into the audit trail.
emergency-who = Who is it? Give the whole MRN, or the name and the birth date.
emergency-name = First and last name
emergency-why = Why do you need this record now?
emergency-why-hint = A sentence of { $count } characters or more.
emergency-find = Find the patient
emergency-back = Back to your list
emergency-compare = Compare the birth date, the sex and the MRN. Opening the record is audited with your reason:
emergency-no-reason = Say why you need this record now, in a sentence.
emergency-too-long = One of the answers is too long.
emergency-nobody-named = Give the whole MRN, or the name and the birth date.
emergency-nobody-found = Nobody answers to exactly this, or more than { $count } do. Look at the spelling, or give the MRN.

## The choice of a visit. An app's name stands before `visit-wanted`. The states are those of FHIR.

visit-title = Choose a visit
visit-wanted = wants to know which visit this is about.
visit-none = There are no visits of this patient here. The app can go on without one; it is then not told of any.
visit-list = Visits
visit-unnamed = Visit
visit-began = Began
visit-state = State
visit-state-planned = planned
visit-state-arrived = arrived
visit-state-triaged = triaged
visit-state-in-progress = in-progress
visit-state-onleave = onleave
visit-state-finished = finished
visit-state-cancelled = cancelled
visit-state-unknown = unknown
visit-go-on = Go on without a visit

## The launch pad.

launch-title = Launch pad
launch-lead = Choose a patient. On the next page you open an app for them.
launch-bases = Record systems
launch-nobody = There are no patients that you may open here. Ask your administrator to put you on a care team.
launch-no-match = None of your patients matches. Try part of a name, a birth date such as 1984-03-09, or the start of an MRN.
launch-open-app = Open an app
launch-one-record = It opens with this patient’s record, and with no other.
launch-which-visit = For which visit?
launch-no-visit = No particular visit
launch-no-app = No app is set up to be opened from here. Ask your administrator to give one a launch URL.
launch-apps = Apps
launch-at = At
launch-other-patient = Choose another patient

## Signing out. The person's name stands behind `sign-out-who`.

sign-out-title = Sign out?
sign-out-who = You are signed in as
sign-out-stay = To stay signed in, close this page or go back.
signed-out-title = Signed out
signed-out-heading = You are signed out
signed-out-what = You are signed out. You can close this page.

## The page that sends the answer to the app.

back-title = Back to the app
back-heading = Taking you back to the app
back-help = If nothing happens, use the button.
back-continue = Continue to the app

## The page that says what went wrong: a heading, what happened, what to do next.

error-reference = Reference for support
error-code = Error code
error-start-again = Go back to the app and start again from there.
error-app = This app cannot sign you in
    .advice = Nothing was shared. Tell whoever makes the app; the reference below helps them to find out why.
error-client-missing = { error-app }
    .sentence = It did not say which app it is (client_id is missing).
    .advice = { error-app.advice }
error-client-unknown = { error-app }
    .sentence = It is not registered here (client_id is unknown).
    .advice = { error-app.advice }
error-client-waits = { error-app }
    .sentence = It has registered itself. It waits for an administrator's approval.
    .advice = { error-app.advice }
error-redirect-missing = { error-app }
    .sentence = It did not say where to go afterwards (redirect_uri is missing).
    .advice = { error-app.advice }
error-redirect-unknown = { error-app }
    .sentence = It wants to go to an address that is not registered for it (redirect_uri does not match).
    .advice = { error-app.advice }
error-parameter-twice = { error-app }
    .sentence = The parameter { $name } was given twice.
    .advice = { error-app.advice }
error-parameter-malformed = { error-app }
    .sentence = The parameter { $name } is not properly encoded.
    .advice = { error-app.advice }
error-form-type = { error-app }
    .sentence = The body must be application/x-www-form-urlencoded.
    .advice = { error-app.advice }
error-form-too-large = { error-app }
    .sentence = The body is too large.
    .advice = { error-app.advice }
error-form-too-many = { error-app }
    .sentence = There are too many parameters.
    .advice = { error-app.advice }
error-form-broke-off = { error-app }
    .sentence = The body broke off.
    .advice = { error-app.advice }
error-forged = This form cannot be accepted
    .sentence = It did not come from the page that we showed in this browser.
    .advice = { error-start-again }
error-no-flow = This sign-in has ended
    .sentence = It was left open for too long, or it was begun in another browser.
    .advice = { error-start-again }
error-completed = This sign-in is already completed
    .sentence = The app has its answer, and a sign-in can be used only once.
    .advice = Go back to the app. To sign in again, start from there.
error-not-found = There is no such page
    .sentence = The address leads nowhere.
    .advice = Open the app that you want to use; it will bring you here to sign in.
error-tries = Too many failed sign-ins
    .sentence = Several sign-ins from your network have failed.
    .advice = Wait for a while, then go back to the app and try again.
error-failed = Something went wrong
    .sentence = We could not do this. It is not your fault.
    .advice = Wait a moment, then go back to the app and try again.
error-internal = { error-failed }
    .sentence = { error-failed.sentence }
    .advice = { error-start-again }
error-directory = The patients cannot be looked up
    .sentence = The record system does not answer at the moment.
    .advice = Wait a moment, then load this page again: you can go on from here.
error-too-large = The form is too large
    .sentence = The browser sent more than we read.
    .advice = { error-start-again }
error-method = This page cannot be used like that
    .sentence = The browser asked for it in a way that it does not know.
    .advice = { error-start-again }
error-address-too-long = The address is too long
    .sentence = The app sent more than we read.
    .advice = { error-start-again }
error-headers = The browser sent too much
    .sentence = Its cookies are too large.
    .advice = { error-start-again }
error-host = This is not the right address
    .sentence = This server does not answer to that name.
    .advice = { error-start-again }
error-busy = We cannot do this at the moment
    .sentence = There is too much to do, or something is down.
    .advice = { error-start-again }
error-nothing-to-share = There is nothing that you can share with this app
    .sentence = It asks for things that your account has no right to give.
    .advice = Go back to the app, or sign in with another account.
error-closed-patient = You may not open this patient
    .sentence = This patient is not one of yours.
    .advice = Go back and choose a patient from the list.
error-emergency = { error-closed-patient }
    .sentence = Emergency access is for clinicians, where the hospital allows it, and for the patient whom they name.
    .advice = Go back and choose a patient from your list.
error-visit = This visit cannot be chosen
    .sentence = It is not one of this patient's.
    .advice = Go back and choose a visit from the list.
error-not-clinician = The launch pad is for clinicians
    .sentence = Your account is not that of somebody who treats patients.
    .advice = Open the app that you want to use by its own address; it will bring you here to sign in.
